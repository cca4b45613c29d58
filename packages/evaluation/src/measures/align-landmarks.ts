import { ShapeError, ValueError } from '@facekit/core'
import { applySimilarity3d, fitSimilarity3d, type Similarity3d } from '@facekit/mesh'

/** Options of `alignLandmarks`. */
export interface AlignLandmarksOptions {
  /** Whether the scale is found too; otherwise it is 1. Default true. */
  scale?: boolean
  /** What the points are of, in messages. Default 'landmarks'. */
  who?: string
}

/** Inside out must fit this much better than rightly turned to be called mirrored. */
const MIRRORED = 0.5
/** Below this share of the points' spread both fit well enough, and flat sets of points always do. */
const GOOD = 0.05

/** Least-squares similarity, or rigid motion, that takes landmarks onto landmarks: a proper rotation, never a reflection.
 *
 * NoW's and REALY's own scripts let a reflection pass (`procrustes(..., reflection='best')`; `U V` of an SVD without the sign): a face turned
 * inside out then fits with residual 0 and is scored. Here it is refused.
 *
 * @param from - `[L * 3]`, any unit
 * @param to - `[L * 3]`
 * @throws {ShapeError} when there are not as many points, or fewer than three
 * @throws {ValueError} when a number is not finite, all points are in one place, or `from` is mirrored
 */
export function alignLandmarks(
  from: ArrayLike<number>,
  to: ArrayLike<number>,
  { scale = true, who = 'landmarks' }: AlignLandmarksOptions = {},
): Similarity3d {
  if (from.length !== to.length || from.length < 9 || from.length % 3 !== 0)
    throw new ShapeError(
      `${who}: ${from.length / 3} points for ${to.length / 3}, expected the same number, at least 3`,
    )
  for (const [name, points] of [
    ['prediction', from],
    ['truth', to],
  ] as const) {
    const wrong = Array.prototype.findIndex.call(points, (value: number) => !Number.isFinite(value))
    if (wrong >= 0)
      throw new ValueError(`${who}: point ${Math.floor(wrong / 3)} of the ${name} is not finite`)
    if (!(spreadOf(points) > 0)) throw new ValueError(`${who}: all points of the ${name} are in one place`)
  }
  const found = fitSimilarity3d(from, to)
  const residual = rootMeanSquare(applySimilarity3d(found, from), to)
  const mirrored = Float64Array.from(from, (value, i) => (i % 3 === 0 ? -value : value))
  const insideOut = rootMeanSquare(applySimilarity3d(fitSimilarity3d(mirrored, to), mirrored), to)
  const spread = spreadOf(to)
  if (residual > GOOD * spread && insideOut < MIRRORED * residual)
    throw new ValueError(
      `${who}: the prediction is mirrored: turned inside out its points fit ${insideOut.toFixed(2)} from the truth, as they are ${residual.toFixed(2)}; flip one axis, or exchange left and right landmarks`,
    )
  return scale ? found : withScale(found, 1, from, to)
}

/** The same rotation with another scale, and the translation that belongs to it.
 *
 * @param from - `[P * 3]` the points that were fitted
 */
export function withScale(
  { rotation }: Similarity3d,
  scale: number,
  from: ArrayLike<number>,
  to: ArrayLike<number>,
): Similarity3d {
  const [a, b] = [centerOf(from), centerOf(to)]
  const turned = [0, 1, 2].map(
    (row) => rotation[row * 3] * a[0] + rotation[row * 3 + 1] * a[1] + rotation[row * 3 + 2] * a[2],
  )
  return {
    scale,
    rotation,
    translation: [0, 1, 2].map((k) => b[k] - scale * turned[k]) as [number, number, number],
  }
}

/** Mean of points. */
export function centerOf(points: ArrayLike<number>): [number, number, number] {
  const sum: [number, number, number] = [0, 0, 0]
  for (let i = 0; i < points.length; i++) sum[i % 3] += points[i]
  return sum.map((value) => (value * 3) / points.length) as [number, number, number]
}

/** Root mean squared distance of points from their mean. */
export function spreadOf(points: ArrayLike<number>): number {
  const center = centerOf(points)
  let sum = 0
  for (let i = 0; i < points.length; i++) sum += (points[i] - center[i % 3]) ** 2
  return Math.sqrt((sum * 3) / points.length)
}

function rootMeanSquare(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2
  return Math.sqrt((sum * 3) / a.length)
}
