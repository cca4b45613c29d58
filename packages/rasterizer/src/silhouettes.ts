import type { Topology } from './topology.js'

/* Contributor notes
 *
 * The method is that of Laine et al., "Modular primitives for high-performance differentiable rendering" (2020), section 3.6:
 * where two neighbouring pixels show different surfaces, find where the nearer surface's silhouette crosses the line between the
 * two centres, and move colour from one pixel to the other in proportion to the distance of the crossing from the middle. The
 * place of the crossing is a smooth function of two vertices, and that is the gradient of visibility.
 *
 * What differs: the method as published looks at the edges of the one triangle that covers the pixel, and so finds nothing when
 * triangles are smaller than pixels, as those of a face at 224 x 224 are towards its contour. Here the segment is followed
 * from triangle to triangle over the mesh's adjacency until it leaves the surface or reaches the other pixel. Most pairs of pixels
 * lie on one triangle, which is no walk, or on adjacent ones, which is a walk of one step.
 *
 * An edge is a silhouette when it is open or when the surface folds there, which is when the two opposite corners are on one
 * side of it: det(i, j, k) and det(i, j, l) have the same sign in homogeneous coordinates, whatever the winding and w.
 *
 * An edge whose direction is nearer to the vertical moves colour between horizontal neighbours only, and the other way round:
 * otherwise its area would count twice. With that, a straight edge adds up to its exact area in each row.
 */

/** What is found between two neighbouring pixels. Reused: copy what you keep. */
export interface Crossing {
  /** Where the line from the nearer pixel to the other crosses the edge, 0..1. */
  position: number
  /** The edge's vertices. */
  first: number
  second: number
  /** Edge functions at the nearer and at the farther pixel's centre; position = near / (near - far). */
  near: number
  far: number
}

/** Edges of one walk. A pixel rarely spans more than a few triangles; a bound ends cycles around a vertex. */
const LONGEST_WALK = 64

const crossing: Crossing = { position: 0, first: 0, second: 0, near: 0, far: 0 }

/** One picture's vertices in homogeneous pixel space, `[x, y, w]` for each. */
let pixelSpace = new Float64Array(0)

/** Writes homogeneous pixel coordinates of `[N, 4]` clip-space vertices; valid until the next call. */
export function toPixelSpace(
  clip: Float32Array,
  offset: number,
  count: number,
  width: number,
  height: number,
): Float64Array {
  if (pixelSpace.length < 3 * count) pixelSpace = new Float64Array(3 * count)
  for (let i = 0, k = offset, o = 0; i < count; i++, k += 4, o += 3) {
    const w = clip[k + 3]
    pixelSpace[o] = (clip[k] + w) * 0.5 * width
    pixelSpace[o + 1] = (w - clip[k + 1]) * 0.5 * height
    pixelSpace[o + 2] = w
  }
  return pixelSpace
}

/** Finds the silhouette edge of the surface at one pixel that lies between this and a neighbouring pixel.
 *
 * @param start - the triangle at the nearer pixel
 * @param target - the triangle at the other pixel, -1 for none
 * @param px, py - centre of the nearer pixel
 * @param dx, dy - step to the other pixel: one of them is 0, the other 1 or -1
 * @returns nothing when there is no such edge, or when it counts for the other direction
 */
export function findCrossing(
  points: Float64Array,
  topology: Topology,
  start: number,
  target: number,
  px: number,
  py: number,
  dx: number,
  dy: number,
): Crossing | undefined {
  const { triangles, neighbors, opposites } = topology
  let triangle = start
  let entered = -1
  for (let step = 0; step < LONGEST_WALK; step++) {
    let exit = -1
    let exitPosition = Infinity
    let exitNear = 0
    let exitFar = 0
    for (let k = 0; k < 3; k++) {
      const half = 3 * triangle + k
      if (half === entered) continue
      const i = 3 * triangles[3 * triangle + ((k + 1) % 3)]
      const j = 3 * triangles[3 * triangle + ((k + 2) % 3)]
      const iw = points[i + 2]
      const jw = points[j + 2]
      const iu = points[i] - px * iw
      const iv = points[i + 1] - py * iw
      const ju = points[j] - px * jw
      const jv = points[j + 1] - py * jw
      const near = iu * jv - iv * ju
      const far = (iu - dx * iw) * (jv - dy * jw) - (iv - dy * iw) * (ju - dx * jw)
      if (near === far) continue
      const position = near / (near - far)
      // The line leaves a triangle by the nearest of the edges that it crosses outwards.
      if (position < exitPosition && leaves(points, topology, half, near, far)) {
        exit = half
        exitPosition = position
        exitNear = near
        exitFar = far
      }
    }
    if (exit < 0 || exitPosition > 1) return undefined
    const first = triangles[3 * triangle + ((exit + 1) % 3)]
    const second = triangles[3 * triangle + ((exit + 2) % 3)]
    const opposite = opposites[exit]
    if (opposite < 0 || folds(points, first, second, triangles[exit], opposite)) {
      const a = 3 * first
      const b = 3 * second
      const normalX = points[a + 1] * points[b + 2] - points[a + 2] * points[b + 1]
      const normalY = points[a + 2] * points[b] - points[a] * points[b + 2]
      const upright = Math.abs(normalX) >= Math.abs(normalY)
      if (upright !== (dx !== 0)) return undefined
      crossing.position = exitPosition
      crossing.first = first
      crossing.second = second
      crossing.near = exitNear
      crossing.far = exitFar
      return crossing
    }
    const next = neighbors[exit]
    if (next === target) return undefined
    entered = halfTowards(neighbors, next, triangle)
    triangle = next
  }
  return undefined
}

/** Whether a line with these edge functions goes from the inside to the outside of a half edge's triangle. */
function leaves(
  points: Float64Array,
  { triangles }: Topology,
  half: number,
  near: number,
  far: number,
): boolean {
  const first = half - (half % 3)
  const inside = determinant(
    points,
    triangles[first + ((half + 1) % 3)],
    triangles[first + ((half + 2) % 3)],
    triangles[half],
  )
  return inside > 0 ? near > far : far > near
}

function determinant(points: Float64Array, i: number, j: number, k: number): number {
  const a = 3 * i
  const b = 3 * j
  const c = 3 * k
  return (
    points[c] * (points[a + 1] * points[b + 2] - points[a + 2] * points[b + 1]) +
    points[c + 1] * (points[a + 2] * points[b] - points[a] * points[b + 2]) +
    points[c + 2] * (points[a] * points[b + 1] - points[a + 1] * points[b])
  )
}

/** Whether the surface turns back at an edge: both opposite corners are on one side of it. */
export function folds(points: Float64Array, i: number, j: number, k: number, l: number): boolean {
  return determinant(points, i, j, k) * determinant(points, i, j, l) > 0
}

/** The half edge of `triangle` that leads to `other`. */
function halfTowards(neighbors: Int32Array, triangle: number, other: number): number {
  const half = 3 * triangle
  if (neighbors[half] === other) return half
  return neighbors[half + 1] === other ? half + 1 : half + 2
}
