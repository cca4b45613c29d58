import { exactSign } from './exact-sign.js'
import { SNAP } from './projected-vertices.js'
import type { Cull, FragmentArrays } from './scan-triangles.js'

/* Contributor notes
 *
 * Nothing is clipped: the same edge functions as in scan-triangles.ts, in homogeneous coordinates (Olano and Greer, "Triangle
 * scan conversion using 2D homogeneous coordinates", 1997), and each pixel's depth against near and far. A vertex in front of the
 * eye has the same numbers on both ways, so the seam between both kinds of triangles is watertight as well. With the signs of
 * the edge functions in hand no determinant is needed: the sum of e w has their sign where the surface is in front of the eye.
 */

/** The triangle's vertices in homogeneous pixel space, x y z w each: divided by w and rounded where w > 0, else as they are. */
const corners = new Float64Array(3 * 4)
/** What to multiply an edge function with to get the barycentric's: 1 / w of clip space where divided, else 1. */
const inverses = new Float64Array(3)
/** Corners of the visible part of a triangle, x y z w each; two planes cut a triangle into at most five corners. */
let polygon = new Float64Array(6 * 4)
let clipped = new Float64Array(6 * 4)
/** Pixel bounds that `visibleBounds` leaves: left, top, right, bottom. */
const bounds = new Float64Array(4)

/** Scans one triangle of any kind, whole. */
export function scanDeferredTriangle(
  clip: Float32Array,
  offset: number,
  triangles: Int32Array,
  triangle: number,
  width: number,
  height: number,
  cull: Cull,
  { ids, depth, barycentrics }: FragmentArrays,
): void {
  const visible = placeCorners(clip, offset, triangles, triangle, width, height)
  if (!visible || !visibleBounds(width, height)) return
  const [ax, ay, az, aw, bx, by, bz, bw, cx, cy, cz, cw] = corners
  const [x0, y0, x1, y1] = bounds
  for (let row = y0; row <= y1; row++) {
    const py = row + 0.5
    const av = ay - py * aw
    const bv = by - py * bw
    const cv = cy - py * cw
    for (let column = x0; column <= x1; column++) {
      const px = column + 0.5
      const au = ax - px * aw
      const bu = bx - px * bw
      const cu = cx - px * cw
      const ea = bu * cv - bv * cu
      const eb = cu * av - cv * au
      const ec = au * bv - av * bu
      const sa = ea > 0 ? 1 : ea < 0 ? -1 : exactSign(bu, bv, cu, cv)
      const sb = eb > 0 ? 1 : eb < 0 ? -1 : exactSign(cu, cv, au, av)
      const sc = ec > 0 ? 1 : ec < 0 ? -1 : exactSign(au, av, bu, bv)
      const side = sa || sb || sc
      if (side === 0 || cull === (side < 0 ? 'front' : 'back')) continue
      if (sa === -side || sb === -side || sc === -side) continue
      if (sa === 0 && !owns(4, 8, side)) continue
      if (sb === 0 && !owns(8, 0, side)) continue
      if (sc === 0 && !owns(0, 4, side)) continue
      const pixelW = ea * aw + eb * bw + ec * cw
      if (!(pixelW * side > 0)) continue
      const ratio = (ea * az + eb * bz + ec * cz) / pixelW
      const wa = ea * inverses[0]
      const wb = eb * inverses[1]
      const wc = ec * inverses[2]
      const normalize = 1 / (wa + wb + wc)
      // Rounding may bring a vertex at near or far over it; beyond that, the surface ends there.
      if (!(ratio >= -1 - 1e-12 && ratio <= 1 + 1e-12) || normalize - normalize !== 0) continue
      const pixelDepth = Math.fround(ratio)
      const q = row * width + column
      if (pixelDepth < depth[q] || (pixelDepth === depth[q] && triangle < ids[q] >>> 0)) {
        depth[q] = pixelDepth
        ids[q] = triangle
        barycentrics[3 * q] = wa * normalize
        barycentrics[3 * q + 1] = wb * normalize
        barycentrics[3 * q + 2] = wc * normalize
      }
    }
  }
}

/** Fills `corners` and `inverses`; false when a vertex is not finite, or all are beyond one plane. */
function placeCorners(
  clip: Float32Array,
  offset: number,
  triangles: Int32Array,
  triangle: number,
  width: number,
  height: number,
): boolean {
  let inFrontOfNear = 0
  let beyondFar = 0
  let behind = 0
  for (let i = 0; i < 3; i++) {
    const k = offset + 4 * triangles[3 * triangle + i]
    const x = clip[k]
    const y = clip[k + 1]
    const z = clip[k + 2]
    const w = clip[k + 3]
    const sum = x + y + z + w
    if (sum - sum !== 0) return false
    if (z < -w) inFrontOfNear++
    if (z > w) beyondFar++
    const o = 4 * i
    if (w > 0) {
      // As in projectVertices.
      const inverse = 1 / w
      corners[o] = (x * inverse * 0.5 + 0.5) * width + SNAP - SNAP
      corners[o + 1] = (0.5 - y * inverse * 0.5) * height + SNAP - SNAP
      corners[o + 2] = z * inverse
      corners[o + 3] = 1
      inverses[i] = inverse
    } else {
      behind++
      corners[o] = (x + w) * 0.5 * width
      corners[o + 1] = (w - y) * 0.5 * height
      corners[o + 2] = z
      corners[o + 3] = w
      inverses[i] = 1
    }
  }
  return inFrontOfNear < 3 && beyondFar < 3 && behind < 3
}

/** Whether a pixel on the edge between two corners belongs to the triangle: with the inside to its right (side 1; else to its
 * left), a left edge goes up, or a level top edge goes right. */
function owns(i: number, j: number, side: number): boolean {
  const normalX = corners[i + 1] * corners[j + 3] - corners[i + 3] * corners[j + 1]
  if (normalX !== 0) return normalX * side > 0
  return (corners[i + 3] * corners[j] - corners[i] * corners[j + 3]) * side > 0
}

/** Finds the pixels that the part between near and far may cover; false when there are none. */
function visibleBounds(width: number, height: number): boolean {
  polygon.set(corners)
  let count = 3
  if (corners[3] <= 0 || corners[7] <= 0 || corners[11] <= 0) {
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
