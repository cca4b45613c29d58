import type { ProjectedVertices } from './projected-vertices.js'
import type { Cull } from './scan-triangles.js'

/** Corners of the visible part of a triangle, x y z w each; two planes cut a triangle into at most five corners. */
let polygon = new Float64Array(6 * 4)
let clipped = new Float64Array(6 * 4)
/** Pixel bounds that `visibleBounds` leaves: left, top, right, bottom. */
const bounds = new Float64Array(4)

/** Scans one triangle that crosses the near or the far plane or lies partly behind the eye.
 *
 * See the notes in scan-triangles.ts: homogeneous edge functions instead of clipping.
 */
export function scanClippedTriangle(
  vertices: ProjectedVertices,
  triangle: number,
  a: number,
  b: number,
  c: number,
  behind: boolean,
  width: number,
  height: number,
  cull: Cull,
  ids: Int32Array,
  depth: Float32Array,
): void {
  const { x, y, z, w } = vertices
  const determinant =
    x[a] * (y[b] * w[c] - w[b] * y[c]) -
    y[a] * (x[b] * w[c] - w[b] * x[c]) +
    w[a] * (x[b] * y[c] - y[b] * x[c])
  if (determinant === 0 || Number.isNaN(determinant)) return
  if (cull === (determinant < 0 ? 'front' : 'back')) return
  if (determinant < 0) [b, c] = [c, b]
  if (!visibleBounds(vertices, a, b, c, behind, width, height)) return
  const [x0, y0, x1, y1] = bounds
  const ownsA = owns(vertices, b, c)
  const ownsB = owns(vertices, c, a)
  const ownsC = owns(vertices, a, b)
  for (let row = y0; row <= y1; row++) {
    const py = row + 0.5
    const av = y[a] - py * w[a]
    const bv = y[b] - py * w[b]
    const cv = y[c] - py * w[c]
    for (let column = x0; column <= x1; column++) {
      const px = column + 0.5
      const au = x[a] - px * w[a]
      const bu = x[b] - px * w[b]
      const cu = x[c] - px * w[c]
      const ea = bu * cv - bv * cu
      if (ea < 0 || (ea === 0 && !ownsA)) continue
      const eb = cu * av - cv * au
      if (eb < 0 || (eb === 0 && !ownsB)) continue
      const ec = au * bv - av * bu
      if (ec < 0 || (ec === 0 && !ownsC)) continue
      // In front of the eye this sum is the determinant; it is taken anew because it must not be 0.
      const pixelW = ea * w[a] + eb * w[b] + ec * w[c]
      if (!(pixelW > 0)) continue
      const ratio = (ea * z[a] + eb * z[b] + ec * z[c]) / pixelW
      if (!(ratio >= -1 && ratio <= 1)) continue
      const pixelDepth = Math.fround(ratio)
      const q = row * width + column
      if (pixelDepth < depth[q]) {
        depth[q] = pixelDepth
        ids[q] = triangle
      }
    }
  }
}

/** Whether the edge from i to j, with the inside to its right, is a left edge or a level top edge. */
function owns({ x, y, w }: ProjectedVertices, i: number, j: number): boolean {
  const normalX = y[i] * w[j] - w[i] * y[j]
  if (normalX !== 0) return normalX > 0
  return w[i] * x[j] - x[i] * w[j] > 0
}

/** Finds the pixels that the part between near and far may cover; false when there are none. */
function visibleBounds(
  { x, y, z, w }: ProjectedVertices,
  a: number,
  b: number,
  c: number,
  behind: boolean,
  width: number,
  height: number,
): boolean {
  let corner = 0
  for (const i of [a, b, c]) {
    polygon[corner++] = x[i]
    polygon[corner++] = y[i]
    polygon[corner++] = z[i]
    polygon[corner++] = w[i]
  }
  let count = 3
  if (behind) {
    // Between near and far w is positive, so the corners that are left can be divided.
    count = cutPolygon(count, 1)
    count = cutPolygon(count, -1)
  }
  let left = Infinity
  let top = Infinity
  let right = -Infinity
  let bottom = -Infinity
  for (let i = 0; i < count; i++) {
    const cornerW = polygon[4 * i + 3]
    if (!(cornerW > 0)) {
      // The eye itself lies in the triangle's plane between the planes: only the whole picture is safe.
      left = top = -Infinity
      right = bottom = Infinity
      break
    }
    const px = polygon[4 * i] / cornerW
    const py = polygon[4 * i + 1] / cornerW
    left = Math.min(left, px)
    right = Math.max(right, px)
    top = Math.min(top, py)
    bottom = Math.max(bottom, py)
  }
  // One pixel of margin: cut corners are rounded.
  bounds[0] = Math.max(0, Math.ceil(left - 1.5))
  bounds[1] = Math.max(0, Math.ceil(top - 1.5))
  bounds[2] = Math.min(width - 1, Math.floor(right + 0.5))
  bounds[3] = Math.min(height - 1, Math.floor(bottom + 0.5))
  return bounds[0] <= bounds[2] && bounds[1] <= bounds[3]
}

/** Keeps the part of the polygon with `w + sign * z >= 0`; returns its number of corners. */
function cutPolygon(count: number, sign: number): number {
  let kept = 0
  for (let i = 0; i < count; i++) {
    const p = 4 * i
    const q = 4 * ((i + 1) % count)
    const distance = polygon[p + 3] + sign * polygon[p + 2]
    const next = polygon[q + 3] + sign * polygon[q + 2]
    if (distance >= 0) {
      for (let k = 0; k < 4; k++) clipped[4 * kept + k] = polygon[p + k]
      kept++
    }
    if (distance >= 0 !== next >= 0) {
      const t = distance / (distance - next)
      for (let k = 0; k < 4; k++) {
        clipped[4 * kept + k] = polygon[p + k] + t * (polygon[q + k] - polygon[p + k])
      }
      kept++
    }
  }
  ;[polygon, clipped] = [clipped, polygon]
  return kept
}
