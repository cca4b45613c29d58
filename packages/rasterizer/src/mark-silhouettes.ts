import { isSilhouette, type ProjectedSurface } from './projected-surface.js'
import type { Topology } from './topology.js'

let marks = new Uint8Array(0)

/** Marks the pixels whose centre is within about a pixel of a silhouette edge, seen or hidden.
 *
 * @returns `[H * W]` 1 where marked; valid until the next call
 */
export function markSilhouettes(
  { points, facing }: ProjectedSurface,
  topology: Topology,
  width: number,
  height: number,
): Uint8Array {
  const { triangles, neighbors } = topology
  if (marks.length < width * height) marks = new Uint8Array(width * height)
  marks.fill(0)
  for (let half = 0; half < triangles.length; half++) {
    const triangle = (half / 3) | 0
    // An edge of two triangles comes twice: once is enough.
    if (neighbors[half] > triangle || !isSilhouette(facing, topology, half, triangle)) continue
    const corner = half - 3 * triangle
    const i = 3 * triangles[3 * triangle + (corner === 2 ? 0 : corner + 1)]
    const j = 3 * triangles[3 * triangle + (corner === 0 ? 2 : corner - 1)]
    if (!(points[i + 2] > 0 && points[j + 2] > 0)) {
      // An edge to behind the eye runs out of the picture somewhere.
      if (points[i + 2] > 0 || points[j + 2] > 0) return marks.fill(1)
      continue
    }
    markEdge(
      points[i] / points[i + 2],
      points[i + 1] / points[i + 2],
      points[j] / points[j + 2],
      points[j + 1] / points[j + 2],
      width,
      height,
    )
  }
  return marks
}

/** Marks a band of pixels along an edge, row by row. */
function markEdge(ax: number, ay: number, bx: number, by: number, width: number, height: number): void {
  if (ay > by) return markEdge(bx, by, ax, ay, width, height)
  const firstRow = Math.max(0, Math.floor(ay - 1.5))
  const lastRow = Math.min(height - 1, Math.ceil(by + 0.5))
  const rise = by - ay
  for (let row = firstRow; row <= lastRow; row++) {
    // The part of the edge within a pixel of this row's centres.
    const from = rise > 0 ? Math.max(0, (row - 0.5 - ay) / rise) : 0
    const to = rise > 0 ? Math.min(1, (row + 1.5 - ay) / rise) : 1
    if (from > to) continue
    const x0 = ax + (bx - ax) * from
    const x1 = ax + (bx - ax) * to
    const left = Math.max(0, Math.floor((x0 < x1 ? x0 : x1) - 1.5))
    const right = Math.min(width - 1, Math.ceil((x0 < x1 ? x1 : x0) + 0.5))
    for (let column = left; column <= right; column++) marks[row * width + column] = 1
  }
}
