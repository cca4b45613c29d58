import { type Picture, type Points, fivePoints } from '@facekit/annotate'
import {
  type FaceScene,
  type LandmarkSample,
  type SceneFace,
  boxAroundLandmarks,
} from '@facekit/annotate-training'
import type { Random } from '@facekit/core'
import type { FaceSynthesizer } from '@facekit/synthetic'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'

/** Pictures of one face each, whose landmarks are known, each turned by a random angle.
 *
 * @param turn - standard deviation of the angle, radians
 */
export function scenesOfLandmarks(
  samples: readonly LandmarkSample[],
  random?: Random,
  turn = 0.25,
): FaceScene[] {
  return samples.map(({ name, read, landmarks }) => {
    const angle = random ? random.normal(0, turn) : 0
    if (angle === 0) return { name, read, faces: [faceOf(landmarks)] }
    const face: SceneFace = faceOf(landmarks)
    const scene = {
      name,
      faces: [face],
      async read() {
        const turned = turnPicture(await read(), landmarks, angle)
        // Where the face is depends on the picture's middle, which is known only now.
        Object.assign(face, faceOf(turned.landmarks))
        return turned.picture
      },
    }
    return scene
  })
}

const faceOf = (landmarks: Points): SceneFace => ({
  box: boxAroundLandmarks(landmarks),
  fivePoints: fivePoints(landmarks),
})

/** Turns a picture about its middle; what comes from outside repeats the border. */
function turnPicture(picture: Picture, landmarks: Points, angle: number) {
  const [height, width] = picture.shape
  const [c, s] = [Math.cos(angle), Math.sin(angle)]
  const [cx, cy] = [width / 2, height / 2]
  const turned: Picture = ndarray(new Uint8Array(width * height * 3), [height, width, 3])
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [dx, dy] = [x + 0.5 - cx, y + 0.5 - cy]
      const u = Math.min(width - 1.001, Math.max(0, c * dx + s * dy + cx - 0.5))
      const v = Math.min(height - 1.001, Math.max(0, c * dy - s * dx + cy - 0.5))
      const [x0, y0] = [Math.floor(u), Math.floor(v)]
      const [fx, fy] = [u - x0, v - y0]
      for (let k = 0; k < 3; k++) {
        const top = picture.get(y0, x0, k) * (1 - fx) + picture.get(y0, x0 + 1, k) * fx
        const bottom = picture.get(y0 + 1, x0, k) * (1 - fx) + picture.get(y0 + 1, x0 + 1, k) * fx
        turned.set(y, x, k, Math.round(top * (1 - fy) + bottom * fy))
      }
    }
  }
  const moved = ndarray(new Float32Array(2 * landmarks.shape[0]), landmarks.shape)
  for (let k = 0; k < landmarks.shape[0]; k++) {
    const [dx, dy] = [landmarks.get(k, 0) - cx, landmarks.get(k, 1) - cy]
    moved.set(k, 0, c * dx - s * dy + cx)
    moved.set(k, 1, s * dx + c * dy + cy)
  }
  return { picture: turned, landmarks: moved }
}

/** Pictures without faces. */
export function scenesWithoutFaces(pictures: readonly Picture[]): FaceScene[] {
  return pictures.map((picture, i) => ({
    name: `background ${i}`,
    read: () => Promise.resolve(picture),
    faces: [],
  }))
}

/** Rendered faces at random sizes and places on backgrounds, of which random parts are taken. Two to a scene where there is room. */
export async function composeScenes(
  synthesizer: FaceSynthesizer,
  backgrounds: readonly Picture[],
  random: Random,
  { count, size = 256 }: { count: number; size?: number },
): Promise<FaceScene[]> {
  const scenes: FaceScene[] = []
  while (scenes.length < count) {
    const batch = synthesizer.next()
    const [images, labels, points] = await Promise.all([
      batch.image.data(),
      batch.labels.data(),
      batch.landmarks.data(),
    ])
    const [faces, side] = batch.image.shape
    tf.dispose(batch as unknown as tf.TensorContainerObject)
    for (let first = 0; first < faces && scenes.length < count; first += 2) {
      const scene = background(backgrounds, random, size)
      const known: SceneFace[] = []
      for (let i = first; i < Math.min(faces, first + 2); i++) {
        // The first in the upper left, the second in the lower right.
        const scale = (Math.exp(random.uniform(Math.log(0.12), Math.log(0.95))) * size) / side
        const room = Math.max(0, size - scale * side)
        const [x, y] = [0, 1].map(
          () => room * (i === first ? random.uniform(0, 0.4) : random.uniform(0.6, 1)),
        )
        const landmarks = ndarray(new Float32Array(136), [68, 2])
        for (let k = 0; k < 136; k++) landmarks.data[k] = points[136 * i + k] * scale + (k & 1 ? y : x)
        const box = boxAroundLandmarks(landmarks)
        const covered = known.some(
          ({ box: other }) =>
            box.x < other.x + other.width &&
            other.x < box.x + box.width &&
            box.y < other.y + other.height &&
            other.y < box.y + box.height,
        )
        if (covered) continue
        const picture = { images, labels, index: i, side }
        paste(scene, picture, { scale, x, y })
        known.push({ box, fivePoints: fivePoints(landmarks) })
      }
      scenes.push({ name: `composed ${scenes.length}`, read: () => Promise.resolve(scene), faces: known })
    }
  }
  return scenes
}

interface Rendered {
  images: ArrayLike<number>
  labels: ArrayLike<number>
  index: number
  side: number
}

/** Draws what is not background, averaged over 3 x 3 places of each pixel. */
function paste(
  scene: Picture,
  face: Rendered,
  { scale, x: left, y: top }: { scale: number; x: number; y: number },
) {
  const [height, width] = scene.shape
  const { images, labels, index, side } = face
  const taps = 3
  for (let y = Math.max(0, Math.floor(top)); y < Math.min(height, top + scale * side); y++) {
    for (let x = Math.max(0, Math.floor(left)); x < Math.min(width, left + scale * side); x++) {
      let share = 0
      const sum = [0, 0, 0]
      for (let tap = 0; tap < taps * taps; tap++) {
        const u = Math.floor((x + ((tap % taps) + 0.5) / taps - left) / scale)
        const v = Math.floor((y + (Math.floor(tap / taps) + 0.5) / taps - top) / scale)
        if (u < 0 || v < 0 || u >= side || v >= side) continue
        const at = (index * side + v) * side + u
        if (labels[at] === 0) continue
        share += 1 / taps ** 2
        for (let c = 0; c < 3; c++) sum[c] += (255 * images[3 * at + c]) / taps ** 2
      }
      if (share === 0) continue
      for (let c = 0; c < 3; c++) scene.set(y, x, c, Math.round(sum[c] + (1 - share) * scene.get(y, x, c)))
    }
  }
}

/** A random part of a background, or of nothing: a plain colour. */
function background(backgrounds: readonly Picture[], random: Random, size: number): Picture {
  const scene: Picture = ndarray(new Uint8Array(size * size * 3), [size, size, 3])
  if (backgrounds.length === 0) {
    const color = [0, 1, 2].map(() => random.integer(256))
    for (let i = 0; i < scene.data.length; i++) scene.data[i] = color[i % 3]
    return scene
  }
  const picture = backgrounds[random.integer(backgrounds.length)]
  const [height, width] = picture.shape
  const step = Math.min(height, width, random.uniform(0.5, 1.5) * size) / size
  const [x0, y0] = [random.uniform(0, width - step * size), random.uniform(0, height - step * size)]
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      for (let c = 0; c < 3; c++)
        scene.set(y, x, c, picture.get(Math.floor(y0 + step * y), Math.floor(x0 + step * x), c))
    }
  }
  return scene
}
