import { solveSymmetric } from './solve-symmetric.js'

/** A smooth warp of space that takes points near to points: an affine map plus a sum of smooth bumps
 * at the points.
 *
 * @param from - `[P * 3]`, P at least 4, not all in a plane
 * @param to - `[P * 3]`
 * @param stiffness - 0 goes through all points; larger values, in the unit of the points, follow them less
 * @returns a function that warps positions `[M * 3]`
 */
export function warpByPoints(
  from: ArrayLike<number>,
  to: ArrayLike<number>,
  stiffness: number,
): (positions: ArrayLike<number>) => Float64Array {
  const count = from.length / 3
  const affine = fitAffine(from, to)
  const residual = [0, 1, 2].map((axis) => {
    const values = new Float64Array(count)
    for (let i = 0; i < count; i++) values[i] = to[i * 3 + axis] - affine(from, i, axis)
    return values
  })
  let reach = 0
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) reach = Math.max(reach, distance(from, i, from, j))
  }
  // Wendland's function: positive definite, smooth, and 0 beyond the reach.
  const kernel = (r: number) => {
    const t = Math.min(1, r / (1.5 * reach))
    return (1 - t) ** 4 * (4 * t + 1)
  }
  const matrix = new Float64Array(count * count)
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) matrix[i * count + j] = kernel(distance(from, i, from, j))
    matrix[i * count + i] += (stiffness / reach) ** 2 + 1e-9
  }
  if (!solveSymmetric(matrix, residual)) residual.forEach((values) => values.fill(0))
  return (positions) => {
    const result = new Float64Array(positions.length)
    for (let v = 0; v * 3 < positions.length; v++) {
      for (let axis = 0; axis < 3; axis++) result[v * 3 + axis] = affine(positions, v, axis)
      for (let i = 0; i < count; i++) {
        const weight = kernel(distance(positions, v, from, i))
        for (let axis = 0; axis < 3; axis++) result[v * 3 + axis] += weight * residual[axis][i]
      }
    }
    return result
  }
}

function distance(a: ArrayLike<number>, i: number, b: ArrayLike<number>, j: number): number {
  return Math.hypot(a[i * 3] - b[j * 3], a[i * 3 + 1] - b[j * 3 + 1], a[i * 3 + 2] - b[j * 3 + 2])
}

/** Least-squares affine map. */
function fitAffine(from: ArrayLike<number>, to: ArrayLike<number>) {
  const count = from.length / 3
  const matrix = new Float64Array(16)
  const columns = [0, 1, 2].map(() => new Float64Array(4))
  for (let i = 0; i < count; i++) {
    const row = [from[i * 3], from[i * 3 + 1], from[i * 3 + 2], 1]
    for (let r = 0; r < 4; r++) {
      for (let c = 0; c < 4; c++) matrix[r * 4 + c] += row[r] * row[c]
      for (let axis = 0; axis < 3; axis++) columns[axis][r] += row[r] * to[i * 3 + axis]
    }
  }
  for (let i = 0; i < 4; i++) matrix[i * 5] *= 1 + 1e-9
  const solved = solveSymmetric(matrix, columns)
  return (points: ArrayLike<number>, i: number, axis: number) => {
    if (!solved) return points[i * 3 + axis]
    const [a, b, c, d] = columns[axis]
    return a * points[i * 3] + b * points[i * 3 + 1] + c * points[i * 3 + 2] + d
  }
}
