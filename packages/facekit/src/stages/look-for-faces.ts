import { detectFaces, findLandmarks, type FaceDetection, type Picture, type Points } from '@facekit/annotate'
import { AnnotationError } from '@facekit/core'
import type { Networks } from '../options.js'
import { shrinkPicture, type Photo } from './read-photo.js'

/** Longest side, pixels, of what the small detector sees: it sees nothing smaller in more. */
const DETECTION_SIDE = 1600

/** Finds the faces of a photograph, largest first, in pixels of its picture.
 *
 * The small detector is asked first; where it finds none, the large one.
 */
export async function lookForFaces(photo: Photo, networks: Networks): Promise<FaceDetection[]> {
  const { picture } = photo
  if (networks === 'small') {
    const found = await detectSmall(picture)
    const faces = await withoutDoubles(picture, found)
    if (faces.length > 0) return bySize(faces)
  }
  return bySize(await withoutDoubles(picture, await detectFaces(picture, { detector: 'accurate' })))
}

async function detectSmall(picture: Picture): Promise<FaceDetection[]> {
  const [height, width] = picture.shape
  const factor = Math.ceil(Math.max(width, height) / DETECTION_SIDE)
  const found = await detectFaces(shrinkPicture(picture, factor), {
    detector: 'fast',
    orientation: 'upright',
  })
  return found.map(({ box, ...rest }) => ({
    ...rest,
    box: {
      x: box.x * factor,
      y: box.y * factor,
      width: box.width * factor,
      height: box.height * factor,
    },
  }))
}

/** Drops second detections of one face: their landmarks have nearly the same middle. Detections without landmarks are no faces. */
async function withoutDoubles(picture: Picture, found: readonly FaceDetection[]): Promise<FaceDetection[]> {
  const kept: { detection: FaceDetection; middle: [number, number]; spread: number }[] = []
  for (const detection of found) {
    const face = await findLandmarks(picture, detection.box, {
      network: 'dense',
      quarterTurns: detection.quarterTurns ?? 0,
    }).then(middleOf, (error) => {
      if (error instanceof AnnotationError) return undefined
      throw error
    })
    if (!face) continue
    const { middle, spread } = face
    const known = kept.some((one) => distance(one.middle, middle) < Math.min(one.spread, spread))
    if (!known) kept.push({ detection, middle, spread })
  }
  return kept.map(({ detection }) => detection)
}

const distance = (a: readonly number[], b: readonly number[]) => Math.hypot(a[0] - b[0], a[1] - b[1])

/** Middle of the landmarks, and their root mean square distance from it. */
function middleOf(points: Points): { middle: [number, number]; spread: number } {
  const count = points.shape[0]
  const middle: [number, number] = [0, 0]
  for (let k = 0; k < count; k++) for (const axis of [0, 1]) middle[axis] += points.get(k, axis) / count
  let square = 0
  for (let k = 0; k < count; k++)
    square += distance(middle, [points.get(k, 0), points.get(k, 1)]) ** 2 / count
  return { middle, spread: Math.sqrt(square) }
}

const bySize = (faces: readonly FaceDetection[]) =>
  faces.toSorted((a, b) => b.box.width * b.box.height - a.box.width * a.box.height)
