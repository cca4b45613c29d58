import { isSilhouette, type ProjectedSurface } from './projected-surface.js'
import type { Topology } from '@facekit/mesh'

/** A silhouette edge between two pixel centres. */
export interface Crossing {
  /** The edge's vertices. */
  first: number
  second: number
  /** Edge functions at the nearer and at the farther pixel's centre; the edge is at near / (near - far), 0..1. */
  near: number
  far: number
}

/** Triangles of one walk. Pixels rarely span more than a few; the bound ends circles around a vertex. */
const LONGEST_WALK = 64

/** Reused: copy what you keep. */
const crossing: Crossing = { first: 0, second: 0, near: 0, far: 0 }

/** Finds the silhouette edge of the surface at one pixel that lies between this and a neighbouring pixel.
 *
 * @param start - the triangle at the nearer pixel
 * @param target - the triangle at the other pixel, -1 for none
 * @param px - centre of the nearer pixel, x
 * @param py - y
 * @param dx - step to the other pixel, 0, 1 or -1: exactly one of `dx` and `dy` is 0
 * @param dy - as `dx`
 * @returns nothing when there is no such edge, or when it counts for the other direction
 */
export function findCrossing(
  { points, facing }: ProjectedSurface,
  topology: Topology,
  start: number,
  target: number,
  px: number,
  py: number,
  dx: number,
  dy: number,
): Crossing | undefined {
  const { triangles, neighbors } = topology
  let triangle = start
  let entered = -1
  for (let step = 0; step < LONGEST_WALK; step++) {
    const inside = facing[triangle]
    let exit = -1
    let exitPosition = Infinity
    for (let corner = 0; corner < 3; corner++) {
      const half = 3 * triangle + corner
      if (half === entered) continue
      const i = 3 * triangles[3 * triangle + (corner === 2 ? 0 : corner + 1)]
      const j = 3 * triangles[3 * triangle + (corner === 0 ? 2 : corner - 1)]
      const iw = points[i + 2]
      const jw = points[j + 2]
      const iu = points[i] - px * iw
      const iv = points[i + 1] - py * iw
      const ju = points[j] - px * jw
      const jv = points[j + 1] - py * jw
      const near = iu * jv - iv * ju
      const far = (iu - dx * iw) * (jv - dy * jw) - (iv - dy * iw) * (ju - dx * jw)
      // The line leaves the triangle by the nearest of the edges that it crosses outwards.
      if (!((near - far) * inside > 0)) continue
      const position = near / (near - far)
      if (position < exitPosition) {
        exit = half
        exitPosition = position
        crossing.near = near
        crossing.far = far
        crossing.first = i / 3
        crossing.second = j / 3
      }
    }
    if (exit < 0 || !(exitPosition >= 0 && exitPosition <= 1)) return undefined
    if (isSilhouette(facing, topology, exit, triangle)) {
      return isUpright(points, crossing) === (dx !== 0) ? crossing : undefined
    }
    const next = neighbors[exit]
    if (next === target) return undefined
    const half = 3 * next
    if (neighbors[half] === triangle) entered = half
    else entered = neighbors[half + 1] === triangle ? half + 1 : half + 2
    triangle = next
  }
  return undefined
}

/** Whether an edge is nearer to the vertical than to the horizontal. */
function isUpright(points: Float64Array, { first, second }: Crossing): boolean {
  const a = 3 * first
  const b = 3 * second
  const normalX = points[a + 1] * points[b + 2] - points[a + 2] * points[b + 1]
  const normalY = points[a + 2] * points[b] - points[a] * points[b + 2]
  return Math.abs(normalX) >= Math.abs(normalY)
}
