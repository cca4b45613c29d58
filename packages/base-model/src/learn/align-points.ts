import { Matrix, SVD } from 'ml-matrix'

/** A similarity: `to = scale * rotation * from + offset`. */
export interface Alignment {
  scale: number
  /** `[9]` row by row. */
  rotation: Float64Array
  offset: [number, number, number]
}

/** Weighted least-squares similarity from points to points (Umeyama, "Least-squares estimation of transformation
 * parameters between two point patterns", TPAMI 1991).
 *
 * @param from - `[P * 3]`
 * @param to - `[P * 3]`
 * @param weights - `[P]`
 */
export function alignPoints(
  from: ArrayLike<number>,
  to: ArrayLike<number>,
  weights: ArrayLike<number>,
): Alignment {
  const count = from.length / 3
  const [a, b] = [
    [0, 0, 0],
    [0, 0, 0],
  ]
  let total = 0
  for (let i = 0; i < count; i++) {
    total += weights[i]
    for (let c = 0; c < 3; c++) {
      a[c] += weights[i] * from[i * 3 + c]
      b[c] += weights[i] * to[i * 3 + c]
    }
  }
  for (let c = 0; c < 3; c++) {
    a[c] /= total
    b[c] /= total
  }
  const cross = Matrix.zeros(3, 3)
  let variance = 0
  for (let i = 0; i < count; i++) {
    for (let r = 0; r < 3; r++) {
      variance += weights[i] * (from[i * 3 + r] - a[r]) ** 2
      for (let c = 0; c < 3; c++) {
        const product = weights[i] * (to[i * 3 + r] - b[r]) * (from[i * 3 + c] - a[c])
        cross.set(r, c, cross.get(r, c) + product)
      }
    }
  }
  const { leftSingularVectors: u, rightSingularVectors: v, diagonal } = new SVD(cross)
  const turn = determinant(u) * determinant(v) < 0 ? -1 : 1
  const rotation = new Float64Array(9)
  for (let r = 0; r < 3; r++) {
    for (let c = 0; c < 3; c++) {
      for (let k = 0; k < 3; k++) rotation[r * 3 + c] += (k === 2 ? turn : 1) * u.get(r, k) * v.get(c, k)
    }
  }
  const scale = (diagonal[0] + diagonal[1] + turn * diagonal[2]) / variance
  const offset = b.map(
    (value, r) => value - scale * [0, 1, 2].reduce((sum, c) => sum + rotation[r * 3 + c] * a[c], 0),
  ) as [number, number, number]
  return { scale, rotation, offset }
}

function determinant(m: Matrix): number {
  const at = (r: number, c: number) => m.get(r, c)
  return (
    at(0, 0) * (at(1, 1) * at(2, 2) - at(1, 2) * at(2, 1)) -
    at(0, 1) * (at(1, 0) * at(2, 2) - at(1, 2) * at(2, 0)) +
    at(0, 2) * (at(1, 0) * at(2, 1) - at(1, 1) * at(2, 0))
  )
}

/** Moves points `[P * 3]` by a similarity. */
export function moveAligned(alignment: Alignment, points: ArrayLike<number>): Float64Array {
  const { scale, rotation, offset } = alignment
  const moved = new Float64Array(points.length)
  for (let i = 0; i < points.length; i += 3) {
    for (let r = 0; r < 3; r++) {
      let value = 0
      for (let c = 0; c < 3; c++) value += rotation[r * 3 + c] * points[i + c]
      moved[i + r] = scale * value + offset[r]
    }
  }
  return moved
}
