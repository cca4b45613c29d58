import { solve, Matrix } from 'ml-matrix'
import { rightEyeRings } from './face-parts.js'
import type { Stencil } from './loop-subdivision.js'

/** The front of an eyeball, far enough around that a turned eye has no rim in sight; the iris is in its middle. */
export interface Eyeball {
  side: 'right' | 'left'
  /** The 16 control vertices of the lid edges around it, outer corner first, over the upper lid. */
  lids: number[]
  center: [number, number, number]
  radius: number
  /** Distance from the pupil's centre along the surface, by vertex, mm. */
  distances: number[]
  positions: number[]
  uv: number[]
  triangles: number[]
  /** How identity moves the eyeball: it follows the lids around each of its vertices. */
  stencils: Stencil[]
  /** First vertex in the mesh. */
  start: number
}

export const SECTORS = 24
/** Distances of the rings of vertices from the pupil's centre, mm: the pupil ends at 2, the iris at 5.9. */
export const RINGS = [0.9, 1.8, 2.3, 3.9, 5.4, 6.2, 7.6, 9.6, 12, 15, 19, 24, 30]
/** How far the eyeball lies behind the lids' edge, mm: lids go straight from open to closed, the chord of an arc. */
export const CLEARANCE = 0.9
/** Larger than an eyeball's 12 mm: the surface must reach the corners of the eye, where flesh hides its edge. */
export const RADIUS = 16

/** Least squares of the centre of a sphere of given radius: Gauss-Newton from behind the points. */
export function fitCenter(points: number[][], radius: number): [number, number, number] {
  const mean = [0, 1, 2].map((c) => points.reduce((sum, p) => sum + p[c], 0) / points.length)
  let center = [mean[0], mean[1], mean[2] - radius]
  for (let round = 0; round < 30; round++) {
    const distances = points.map((p) => Math.hypot(...p.map((value, c) => value - center[c])))
    const jacobian = new Matrix(points.map((p, i) => p.map((value, c) => (value - center[c]) / distances[i])))
    const residual = Matrix.columnVector(distances.map((distance) => distance - radius))
    const step = solve(jacobian.transpose().mmul(jacobian), jacobian.transpose().mmul(residual)).to1DArray()
    center = center.map((value, c) => value + step[c])
  }
  return [center[0], center[1], center[2]]
}

/** Fits both eyeballs to the lids of the neutral face. */
export function buildEyeballs(neutral: Float64Array, mirror: readonly number[]): Eyeball[] {
  const rightLids = [...rightEyeRings[0]]
  const point = (i: number) => [neutral[i * 3], neutral[i * 3 + 1], neutral[i * 3 + 2]]
  const rightCenter = fitCenter(rightLids.map(point), RADIUS + CLEARANCE)
  // Looking straight ahead, the pupil is in the middle of the opening, a little nearer to the upper lid.
  const middles = [3, 4, 5].map((k) => (point(rightLids[k])[1] + point(rightLids[16 - k])[1]) / 2)
  const raise = middles.reduce((sum, y) => sum + y / 3, 0) + 0.4 - rightCenter[1]
  rightCenter[1] += raise
  return (['right', 'left'] as const).map((side) => {
    const sign = side === 'right' ? 1 : -1
    const lids = side === 'right' ? rightLids : rightLids.map((i) => mirror[i])
    const center: Eyeball['center'] = [sign * rightCenter[0], rightCenter[1], rightCenter[2]]
    const positions = [center[0], center[1], center[2] + RADIUS]
    const distances = [0]
    const uvCenter = side === 'right' ? [0.06, 0.06] : [0.94, 0.06]
    const uv = [...uvCenter]
    for (const distance of RINGS) {
      for (let s = 0; s < SECTORS; s++) {
        const angle = (2 * Math.PI * s) / SECTORS
        const [x, y] = [sign * Math.cos(angle), Math.sin(angle)]
        const bend = distance / RADIUS
        const across = RADIUS * Math.sin(bend)
        positions.push(center[0] + across * x, center[1] + across * y, center[2] + RADIUS * Math.cos(bend))
        const spread = 0.05 * (distance / RINGS.at(-1)!) ** 0.7
        uv.push(uvCenter[0] + spread * x, uvCenter[1] + spread * y)
        distances.push(distance)
      }
    }
    const triangles: number[] = []
    const push = (a: number, b: number, c: number) =>
      triangles.push(...(side === 'right' ? [a, b, c] : [a, c, b]))
    for (let s = 0; s < SECTORS; s++) {
      const next = (s + 1) % SECTORS
      push(0, 1 + s, 1 + next)
      for (let r = 0; r + 1 < RINGS.length; r++) {
        const [inner, outer] = [1 + r * SECTORS, 1 + (r + 1) * SECTORS]
        push(inner + s, outer + s, outer + next)
        push(inner + s, outer + next, inner + next)
      }
    }
    const stencils = distances.map((_, v) => {
      const weights = lids.map((i) => {
        const squared = [0, 1].reduce((sum, c) => sum + (positions[v * 3 + c] - neutral[i * 3 + c]) ** 2, 0)
        return Math.exp(-squared / (2 * 9 ** 2))
      })
      const total = weights.reduce((sum, weight) => sum + weight, 0)
      return new Map(lids.map((i, k) => [i, weights[k] / total]))
    })
    return { side, lids, center, radius: RADIUS, distances, positions, uv, triangles, stencils, start: 0 }
  })
}
