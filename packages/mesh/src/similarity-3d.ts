/** Scale, rotation and translation of space: `p' = scale * rotation * p + translation`. */
export interface Similarity3d {
  scale: number
  /** Row-major 3 x 3. */
  rotation: readonly number[]
  translation: readonly [number, number, number]
}

/** Least-squares similarity that takes points to points.
 *
 * The rotation is that of the quaternion which belongs to the largest eigenvalue of a symmetric 4 x 4 matrix made of the
 * cross-covariance (Horn 1987), found by Jacobi rotations; a reflection cannot come out.
 *
 * @param from - `[P * 3]`
 * @param to - `[P * 3]`
 * @param weights - `[P]`, at least three of them above 0. Default all 1
 */
export function fitSimilarity3d(
  from: ArrayLike<number>,
  to: ArrayLike<number>,
  weights?: ArrayLike<number>,
): Similarity3d {
  const count = from.length / 3
  const centerFrom = centroid(from, weights)
  const centerTo = centroid(to, weights)
  const s = Array.from({ length: 9 }, () => 0)
  let variance = 0
  for (let i = 0; i < count; i++) {
    const w = weights ? weights[i] : 1
    for (let r = 0; r < 3; r++) {
      const a = from[i * 3 + r] - centerFrom[r]
      variance += w * a * a
      for (let c = 0; c < 3; c++) s[r * 3 + c] += w * a * (to[i * 3 + c] - centerTo[c])
    }
  }
  const [xx, xy, xz, yx, yy, yz, zx, zy, zz] = s
  const [w, x, y, z] = largestEigenvector4([
    [xx + yy + zz, yz - zy, zx - xz, xy - yx],
    [yz - zy, xx - yy - zz, xy + yx, zx + xz],
    [zx - xz, xy + yx, yy - xx - zz, yz + zy],
    [xy - yx, zx + xz, yz + zy, zz - xx - yy],
  ])
  const rotation = [
    1 - 2 * (y * y + z * z),
    2 * (x * y - w * z),
    2 * (x * z + w * y),
    2 * (x * y + w * z),
    1 - 2 * (x * x + z * z),
    2 * (y * z - w * x),
    2 * (x * z - w * y),
    2 * (y * z + w * x),
    1 - 2 * (x * x + y * y),
  ]
  let along = 0
  for (let r = 0; r < 3; r++) for (let c = 0; c < 3; c++) along += rotation[c * 3 + r] * s[r * 3 + c]
  const scale = variance > 0 ? along / variance : 1
  const turned = rotate(rotation, centerFrom)
  const translation = [0, 1, 2].map((c) => centerTo[c] - scale * turned[c]) as [number, number, number]
  return { scale, rotation, translation }
}

/** Points after a similarity, `[P * 3]`. */
export function applySimilarity3d(
  { scale, rotation: r, translation: t }: Similarity3d,
  points: ArrayLike<number>,
): Float64Array {
  const result = new Float64Array(points.length)
  for (let i = 0; i < points.length; i += 3) {
    const x = points[i]
    const y = points[i + 1]
    const z = points[i + 2]
    result[i] = scale * (r[0] * x + r[1] * y + r[2] * z) + t[0]
    result[i + 1] = scale * (r[3] * x + r[4] * y + r[5] * z) + t[1]
    result[i + 2] = scale * (r[6] * x + r[7] * y + r[8] * z) + t[2]
  }
  return result
}

/** Angle of a rotation matrix, radians. */
export function rotationAngle(rotation: readonly number[]): number {
  return Math.acos(Math.min(1, Math.max(-1, (rotation[0] + rotation[4] + rotation[8] - 1) / 2)))
}

function centroid(points: ArrayLike<number>, weights?: ArrayLike<number>): [number, number, number] {
  const sum: [number, number, number] = [0, 0, 0]
  let total = 0
  for (let i = 0; i * 3 < points.length; i++) {
    const w = weights ? weights[i] : 1
    total += w
    for (let c = 0; c < 3; c++) sum[c] += w * points[i * 3 + c]
  }
  return sum.map((value) => value / (total || 1)) as [number, number, number]
}

function rotate(r: readonly number[], [x, y, z]: readonly number[]): [number, number, number] {
  return [r[0] * x + r[1] * y + r[2] * z, r[3] * x + r[4] * y + r[5] * z, r[6] * x + r[7] * y + r[8] * z]
}

function largestEigenvector4(matrix: number[][]): [number, number, number, number] {
  const a = matrix.map((row) => [...row])
  const v: number[][] = a.map((_, i) => a.map((__, j) => (i === j ? 1 : 0)))
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0
    for (let p = 0; p < 3; p++) {
      for (let q = p + 1; q < 4; q++) {
        off += Math.abs(a[p][q])
        if (a[p][q] === 0) continue
        const theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
        const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
        const c = 1 / Math.sqrt(t * t + 1)
        const s = t * c
        for (let k = 0; k < 4; k++)
          [a[k][p], a[k][q]] = [c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]]
        for (let k = 0; k < 4; k++)
          [a[p][k], a[q][k]] = [c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]]
        for (let k = 0; k < 4; k++)
          [v[k][p], v[k][q]] = [c * v[k][p] - s * v[k][q], s * v[k][p] + c * v[k][q]]
      }
    }
    if (!(off > 1e-14)) break
  }
  const best = [0, 1, 2, 3].reduce((top, i) => (a[i][i] > a[top][top] ? i : top), 0)
  return [v[0][best], v[1][best], v[2][best], v[3][best]]
}
