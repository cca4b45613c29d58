import ndarray, { type NdArray } from 'ndarray'
import { assertShape, ValueError } from '@facekit/core'

/** A similarity of the plane: `p' = scale * R(rotation) * p + translation`, with
 * `R(a) = [[cos a, -sin a], [sin a, cos a]]`. In pixels, where y points down, a positive rotation turns clockwise. */
export interface SimilarityTransform {
  /** Larger than 0. */
  scale: number
  /** Radians. */
  rotation: number
  /** Pixels of the target. */
  translation: [number, number]
}

/** Points of the plane, `[L, 2]` x and y. */
export type Points = NdArray<Float32Array>

/** Finds the similarity without reflection that takes one set of points nearest to another, in the least-squares sense.
 *
 * minimises `sum_i w_i |scale R from_i + translation - to_i|^2`   (Umeyama, PAMI 1991, in the plane, where it is closed)
 *
 * @param from - `[L, 2]`, L at least 2, not all in one place
 * @param to - `[L, 2]`
 * @param weights - L weights, at least 0; all 1 by default
 * @throws {ShapeError} when the shapes differ
 * @throws {ValueError} when the points are not finite or coincide, so that no scale exists
 * @example
 * const square = ndarray(new Float32Array([0, 0, 1, 0, 1, 1, 0, 1]), [4, 2])
 * const larger = ndarray(new Float32Array([5, 0, 7, 0, 7, 2, 5, 2]), [4, 2])
 * estimateSimilarity(square, larger) // { scale: 2, rotation: 0, translation: [5, 0] }
 */
export function estimateSimilarity(
  from: Points,
  to: Points,
  weights?: ArrayLike<number>,
): SimilarityTransform {
  const { L } = assertShape('estimateSimilarity: from', from, ['L', 2])
  assertShape('estimateSimilarity: to', to, ['L', 2], { L })
  let total = 0
  const mean = [0, 0, 0, 0]
  for (let i = 0; i < L; i++) {
    const weight = weights?.[i] ?? 1
    total += weight
    mean[0] += weight * from.get(i, 0)
    mean[1] += weight * from.get(i, 1)
    mean[2] += weight * to.get(i, 0)
    mean[3] += weight * to.get(i, 1)
  }
  for (let k = 0; k < 4; k++) mean[k] /= total
  let dot = 0
  let cross = 0
  let spread = 0
  for (let i = 0; i < L; i++) {
    const weight = weights?.[i] ?? 1
    const x = from.get(i, 0) - mean[0]
    const y = from.get(i, 1) - mean[1]
    const u = to.get(i, 0) - mean[2]
    const v = to.get(i, 1) - mean[3]
    dot += weight * (x * u + y * v)
    cross += weight * (x * v - y * u)
    spread += weight * (x * x + y * y)
  }
  const scale = Math.hypot(dot, cross) / spread
  if (!(scale > 0) || !Number.isFinite(scale)) {
    throw new ValueError(
      `estimateSimilarity: ${L} points with a spread of ${spread}, expected finite points that do not all coincide`,
    )
  }
  const rotation = Math.atan2(cross, dot)
  const [x, y] = turn(scale, rotation, mean[0], mean[1])
  return { scale, rotation, translation: [mean[2] - x, mean[3] - y] }
}

/** Moves points by a similarity.
 *
 * @param points - `[L, 2]`
 * @returns `[L, 2]`, new
 * @throws {ShapeError} when `points` is not `[L, 2]`
 */
export function applyTransform(transform: SimilarityTransform, points: Points): Points {
  const { L } = assertShape('applyTransform: points', points, ['L', 2])
  const moved = ndarray(new Float32Array(L * 2), [L, 2])
  for (let i = 0; i < L; i++) {
    const [x, y] = transformPoint(transform, points.get(i, 0), points.get(i, 1))
    moved.set(i, 0, x)
    moved.set(i, 1, y)
  }
  return moved
}

/** Moves one point by a similarity. */
export function transformPoint(transform: SimilarityTransform, x: number, y: number): [number, number] {
  const [u, v] = turn(transform.scale, transform.rotation, x, y)
  return [u + transform.translation[0], v + transform.translation[1]]
}

/** The similarity that undoes another one. */
export function invertTransform(transform: SimilarityTransform): SimilarityTransform {
  const scale = 1 / transform.scale
  const rotation = -transform.rotation
  const [x, y] = turn(scale, rotation, transform.translation[0], transform.translation[1])
  return { scale, rotation, translation: [-x, -y] }
}

/** The similarity that applies `first`, then `second`. */
export function composeTransforms(
  first: SimilarityTransform,
  second: SimilarityTransform,
): SimilarityTransform {
  const rotation = first.rotation + second.rotation
  return {
    scale: first.scale * second.scale,
    rotation: Math.atan2(Math.sin(rotation), Math.cos(rotation)),
    translation: transformPoint(second, first.translation[0], first.translation[1]),
  }
}

function turn(scale: number, rotation: number, x: number, y: number): [number, number] {
  const c = scale * Math.cos(rotation)
  const s = scale * Math.sin(rotation)
  return [c * x - s * y, s * x + c * y]
}
