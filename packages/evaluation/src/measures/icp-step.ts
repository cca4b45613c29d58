import { fitSimilarity3d, type Similarity3d, solveSymmetric } from '@facekit/mesh'
import { centerOf, withScale } from './align-landmarks.js'
import { identitySimilarity } from './compose-similarities.js'
import type { IcpPairs } from './icp-pairs.js'

/** What is made small: distances of the points, of a point from the plane through the other, or of a point from the surface. */
export type IcpMetric = 'point' | 'plane' | 'surface'

/** Smallest and largest factor that a step may scale by. */
export interface ScaleRange {
  least: number
  most: number
}

/** The similarity that brings the moved points of the pairs nearest to the fixed ones.
 *
 * `point`: closed form (Horn 1987). `plane`: one Gauss-Newton step on the sum of `(n . (s R a + t - b))^2` (Chen and Medioni 1992; linear in
 * the rotation as in Low 2004, with the logarithm of the scale as a seventh unknown). `surface`: the same with the direction of the pair in the
 * place of the normal, which is the derivative of the distance to the surface.
 */
export function icpStep(pairs: IcpPairs, metric: IcpMetric, range: ScaleRange): Similarity3d {
  const moved = pairs.moved.subarray(0, pairs.count * 3)
  const fixed = pairs.fixed.subarray(0, pairs.count * 3)
  if (metric === 'point') {
    const found = fitSimilarity3d(moved, fixed)
    const scale = clamp(found.scale, range)
    return scale === found.scale ? found : withScale(found, scale, moved, fixed)
  }
  const normals = metric === 'plane' ? pairs.normals : directions(pairs)
  const center = centerOf(moved)
  const free = range.most > range.least
  let step = solve(pairs, normals, center, free ? 7 : 6, Math.log(range.least))
  if (step && free && (step[6] < Math.log(range.least) || step[6] > Math.log(range.most))) {
    const logScale = Math.min(Math.max(step[6], Math.log(range.least)), Math.log(range.most))
    step = solve(pairs, normals, center, 6, logScale)
  }
  if (!step) return identitySimilarity
  const rotation = rotationOf(step[0], step[1], step[2])
  const scale = Math.exp(step[6])
  const [x, y, z] = center
  const turned = [0, 3, 6].map((row) => rotation[row] * x + rotation[row + 1] * y + rotation[row + 2] * z)
  return {
    scale,
    rotation,
    translation: [0, 1, 2].map((k) => center[k] + step[3 + k] - scale * turned[k]) as [
      number,
      number,
      number,
    ],
  }
}

const clamp = (value: number, { least, most }: ScaleRange) => Math.min(Math.max(value, least), most)

/** Unit vectors from the fixed to the moved points; the normal where they meet. */
function directions({ count, moved, fixed, normals }: IcpPairs): Float64Array {
  const result = new Float64Array(count * 3)
  for (let at = 0; at < count * 3; at += 3) {
    const [x, y, z] = [moved[at] - fixed[at], moved[at + 1] - fixed[at + 1], moved[at + 2] - fixed[at + 2]]
    const length = Math.hypot(x, y, z)
    for (let k = 0; k < 3; k++) result[at + k] = length > 1e-9 ? [x, y, z][k] / length : normals[at + k]
  }
  return result
}

/** `[rotation vector, translation, logarithm of the scale]`; with 6 unknowns the last one is given. */
function solve(
  { count, moved, fixed }: IcpPairs,
  normals: Float64Array,
  center: readonly number[],
  unknowns: 6 | 7,
  logScale: number,
): number[] | undefined {
  const matrix = new Float64Array(unknowns * unknowns)
  const right = new Float64Array(unknowns)
  const row = new Float64Array(7)
  const fixedScale = unknowns === 6 ? Math.exp(logScale) - 1 : 0
  for (let at = 0; at < count * 3; at += 3) {
    const nx = normals[at]
    const ny = normals[at + 1]
    const nz = normals[at + 2]
    const x = moved[at] - center[0]
    const y = moved[at + 1] - center[1]
    const z = moved[at + 2] - center[2]
    row[0] = y * nz - z * ny
    row[1] = z * nx - x * nz
    row[2] = x * ny - y * nx
    row[3] = nx
    row[4] = ny
    row[5] = nz
    row[6] = x * nx + y * ny + z * nz
    const residual =
      nx * (moved[at] - fixed[at]) +
      ny * (moved[at + 1] - fixed[at + 1]) +
      nz * (moved[at + 2] - fixed[at + 2])
    const goal = -residual - fixedScale * row[6]
    for (let i = 0; i < unknowns; i++) {
      right[i] += row[i] * goal
      for (let j = 0; j <= i; j++) matrix[i * unknowns + j] += row[i] * row[j]
    }
  }
  // A flat or round surface does not hold every motion: those stay as they are.
  for (let i = 0; i < unknowns; i++) matrix[i * unknowns + i] += 1e-9 * (matrix[i * unknowns + i] + 1e-12)
  if (!solveSymmetric(matrix, [right])) return undefined
  return [...right.subarray(0, 6), unknowns === 7 ? right[6] : logScale]
}

/** Rotation matrix of a rotation vector (Rodrigues). */
function rotationOf(x: number, y: number, z: number): number[] {
  const angle = Math.hypot(x, y, z)
  if (angle < 1e-15) return [...identitySimilarity.rotation]
  const [ux, uy, uz] = [x / angle, y / angle, z / angle]
  const [c, s] = [Math.cos(angle), Math.sin(angle)]
  const v = 1 - c
  return [
    c + ux * ux * v,
    ux * uy * v - uz * s,
    ux * uz * v + uy * s,
    uy * ux * v + uz * s,
    c + uy * uy * v,
    uy * uz * v - ux * s,
    uz * ux * v - uy * s,
    uz * uy * v + ux * s,
    c + uz * uz * v,
  ]
}
