import ndarray from 'ndarray'
import { createRandom } from '@facekit/core'
import type { FaceSample } from '@facekit/dataset'

/** A made-up sample that depends on its number only: a smooth picture, masks of a disc, plausible labels. */
export function tinySample(number: number, size = 32, identity = `person-${number % 5}`): FaceSample {
  const random = createRandom(number)
  const plane = (value: (x: number, y: number) => number) =>
    ndarray(
      Float32Array.from(
        { length: size * size },
        (_, i) => Math.round(value(i % size, Math.floor(i / size)) * 255) / 255,
      ),
      [size, size],
    )
  const disc = (radius: number) => (x: number, y: number) =>
    Math.min(1, Math.max(0, radius - Math.hypot(x + 0.5 - size / 2, y + 0.5 - size / 2)))
  const [r, g, b] = [random.uniform(), random.uniform(), random.uniform()]
  const image = Uint8Array.from({ length: size * size * 3 }, (_, i) => {
    const x = Math.floor(i / 3) % size
    const y = Math.floor(i / 3 / size)
    return Math.round(40 + 100 * [r, g, b][i % 3] + (60 * x) / size + (40 * y) / size)
  })
  return {
    key: `sample-${String(number).padStart(4, '0')}`,
    identity,
    image: ndarray(image, [size, size, 3]),
    annotation: {
      box: { x: 3.5, y: 4.25, width: 50, height: 60 },
      score: 0.9,
      transform: { scale: 0.5, rotation: 0.1, translation: [1.25, -2.5] },
      landmarks: ndarray(
        Float32Array.from({ length: 136 }, () => random.uniform(0.2 * size, 0.8 * size)),
        [68, 2],
      ),
      faceRegion: plane(disc(0.4 * size)),
      innerMouth: plane(disc(0.1 * size)),
      skinProbability: plane(disc(0.3 * size)),
      embedding: Float32Array.from({ length: 128 }, () => random.normal(0, 0.1)),
    },
    source: { picture: `${identity}/${number}.jpg`, width: 200, height: 100, face: 0, faces: 1 },
    quality: { detection: 0.9, resolution: 0.5 },
  }
}
