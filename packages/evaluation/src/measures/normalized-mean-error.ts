import { ShapeError, ValueError } from '@facekit/core'

/** What distances of landmarks are divided by: sqrt(width x height) of the landmarks' box (AFLW2000-3D), its diagonal, the distance of the outer
 * corners of the eyes (300-W), or of the middles of the eyes. */
export type LandmarkNormalization = 'box' | 'diagonal' | 'interocular' | 'interpupil'

/** Normalised mean error of 68 landmarks in a picture: mean distance over a size of the true face.
 *
 * @param found - `[68 * 2]` pixels
 * @param truth - `[68 * 2]` pixels of the same picture
 * @param normalization - sizes are those of the truth. Default `'box'`
 * @returns 0 is perfect; 0.03 is 3 %
 * @throws {ShapeError} when there are not 68
 * @throws {ValueError} when the true face has no size, as a profile's eyes may have none
 */
export function normalizedMeanError(
  found: ArrayLike<number>,
  truth: ArrayLike<number>,
  normalization: LandmarkNormalization = 'box',
): number {
  if (found.length !== 136 || truth.length !== 136)
    throw new ShapeError(
      `normalizedMeanError: ${found.length / 2} and ${truth.length / 2} landmarks, expected 68 in the picture`,
    )
  const size = sizeOf(truth, normalization)
  if (!(size > 0))
    throw new ValueError(`normalizedMeanError: the true face's ${normalization} size is ${size}`)
  let sum = 0
  for (let i = 0; i < 136; i += 2) sum += Math.hypot(found[i] - truth[i], found[i + 1] - truth[i + 1])
  return sum / 68 / size
}

function sizeOf(points: ArrayLike<number>, normalization: LandmarkNormalization): number {
  if (normalization === 'interocular') return between(mean(points, 36, 37), mean(points, 45, 46))
  if (normalization === 'interpupil') return between(mean(points, 36, 42), mean(points, 42, 48))
  const sides = [0, 1].map((axis) => {
    const values = Array.from({ length: 68 }, (_, i) => points[i * 2 + axis])
    return Math.max(...values) - Math.min(...values)
  })
  return normalization === 'box' ? Math.sqrt(sides[0] * sides[1]) : Math.hypot(...sides)
}

function mean(points: ArrayLike<number>, first: number, end: number): [number, number] {
  const sum: [number, number] = [0, 0]
  for (let i = first; i < end; i++) {
    for (const axis of [0, 1]) sum[axis] += points[i * 2 + axis] / (end - first)
  }
  return sum
}

const between = (a: readonly number[], b: readonly number[]) => Math.hypot(a[0] - b[0], a[1] - b[1])
