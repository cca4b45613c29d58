import type { ProjectedSurface } from './projected-surface.js'
import type { Topology } from '@facekit/mesh'

let marks = new Uint8Array(0)

/** The edges of a mesh, each once. */
interface Edges {
  /** `[E * 2]` */
  vertices: Int32Array
  /** `[E * 2]` the triangles on both sides, the second -1 where the surface is open. */
  triangles: Int32Array
  /** `[E]` 1, or -1 where the two are wound in opposite ways. */
  windings: Int8Array
}

const lists = new WeakMap<Topology, Edges>()

function edgesOf(topology: Topology): Edges {
  let edges = lists.get(topology)
  if (edges === undefined) {
    const { triangles, neighbors, flipped } = topology
    const halves = [...triangles.keys()].filter((half) => !(neighbors[half] > Math.floor(half / 3)))
    const corner = (half: number, turn: number) =>
      triangles[3 * Math.floor(half / 3) + (((half % 3) + turn) % 3)]
    edges = {
      vertices: Int32Array.from(halves.flatMap((half) => [corner(half, 1), corner(half, 2)])),
      triangles: Int32Array.from(halves.flatMap((half) => [Math.floor(half / 3), neighbors[half]])),
      windings: Int8Array.from(halves, (half) => (flipped[half] === 1 ? -1 : 1)),
    }
    lists.set(topology, edges)
  }
  return edges
}

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
  const { vertices, triangles, windings } = edgesOf(topology)
  if (marks.length < width * height) marks = new Uint8Array(width * height)
  marks.fill(0)
  for (let e = 0; e < windings.length; e++) {
    const neighbor = triangles[2 * e + 1]
    if (neighbor >= 0 && !(facing[triangles[2 * e]] * facing[neighbor] * windings[e] < 0)) continue
    const i = 3 * vertices[2 * e]
    const j = 3 * vertices[2 * e + 1]
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
