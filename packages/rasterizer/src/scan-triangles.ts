import { BEHIND, NOT_FINITE, type ProjectedVertices } from './projected-vertices.js'
import { scanClippedTriangle } from './scan-clipped-triangle.js'

/* Contributor notes
 *
 * One loop over the triangles, one over the bounding box of each, in float64 over typed arrays. Faces have some ten thousand
 * triangles of about a pixel, so most of the time goes into rejecting triangles that hold no pixel centre; spans or tiles
 * would help large triangles only.
 *
 * Watertight: the edge function is taken relative to the pixel, e = (a - p) x (b - p). Swapping a and b negates it to the
 * last bit (products commute, a difference is antisymmetric), so two triangles that share an edge always agree on which side
 * a pixel is, without snapping vertices to a grid, and e is exactly 0 for a pixel on a vertex. The usual
 * (b - a) x (p - a) does not have this property. A pixel with e = 0 belongs to the triangle for which the edge is a top or a
 * left one.
 *
 * Clipping: nothing is clipped. A triangle with a vertex outside of near and far goes through scan-clipped-triangle.ts, which
 * tests the same edge functions in homogeneous coordinates (Olano and Greer, "Triangle scan conversion using 2D homogeneous
 * coordinates", 1997), and the depth of each pixel against near and far. A vertex in front of the eye has the same numbers on
 * both ways, so the seam between clipped and unclipped triangles is watertight as well.
 *
 * Depths are compared after rounding to float32, as they are stored; the lower index stays on a tie.
 */

/** Which triangles are left out: none, those seen from their back (clockwise), or those seen from their front. */
export type Cull = 'none' | 'back' | 'front'

/** Finds the nearest triangle at each pixel centre of one picture.
 *
 * @param ids - `[H * W]` gets triangle indices, -1 where there is none
 * @param depth - `[H * W]` gets z / w in -1..1, Infinity where there is no triangle
 */
export function scanTriangles(
  vertices: ProjectedVertices,
  triangles: Int32Array,
  width: number,
  height: number,
  cull: Cull,
  ids: Int32Array,
  depth: Float32Array,
): void {
  const { x, y, z, flags } = vertices
  ids.fill(-1)
  depth.fill(Infinity)
  // Counter-clockwise with y up is clockwise, of negative area, with y down.
  const dropNegative = cull === 'front'
  const dropPositive = cull === 'back'
  for (let f = 0, k = 0; k < triangles.length; f++, k += 3) {
    const a = triangles[k]
    let b = triangles[k + 1]
    let c = triangles[k + 2]
    const flag = flags[a] | flags[b] | flags[c]
    if (flag !== 0) {
      const outside = (flags[a] & flags[b] & flags[c]) !== 0
      if (outside || (flag & NOT_FINITE) !== 0) continue
      scanClippedTriangle(vertices, f, a, b, c, (flag & BEHIND) !== 0, width, height, cull, ids, depth)
      continue
    }
    const ax = x[a]
    const ay = y[a]
    let bx = x[b]
    let by = y[b]
    let cx = x[c]
    let cy = y[c]
    const left = Math.ceil((ax < bx ? (ax < cx ? ax : cx) : bx < cx ? bx : cx) - 0.5)
    const right = Math.floor((ax > bx ? (ax > cx ? ax : cx) : bx > cx ? bx : cx) - 0.5)
    if (left > right) continue
    const top = Math.ceil((ay < by ? (ay < cy ? ay : cy) : by < cy ? by : cy) - 0.5)
    const bottom = Math.floor((ay > by ? (ay > cy ? ay : cy) : by > cy ? by : cy) - 0.5)
    if (top > bottom || right < 0 || bottom < 0 || left >= width || top >= height) continue
    const x0 = left < 0 ? 0 : left
    const x1 = right >= width ? width - 1 : right
    const y0 = top < 0 ? 0 : top
    const y1 = bottom >= height ? height - 1 : bottom
    const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    if (area === 0) continue
    if (area < 0) {
      if (dropNegative) continue
      const swapX = bx
      const swapY = by
      const swap = b
      bx = cx
      by = cy
      b = c
      cx = swapX
      cy = swapY
      c = swap
    } else if (dropPositive) continue
    const az = z[a]
    const bz = z[b]
    const cz = z[c]
    // A left edge goes up, a top edge goes right, when the inside is to the right of the edge.
    const ownsA = by > cy || (by === cy && cx > bx)
    const ownsB = cy > ay || (cy === ay && ax > cx)
    const ownsC = ay > by || (ay === by && bx > ax)
    for (let row = y0; row <= y1; row++) {
      const av = ay - (row + 0.5)
      const bv = by - (row + 0.5)
      const cv = cy - (row + 0.5)
      for (let column = x0; column <= x1; column++) {
        const px = column + 0.5
        const au = ax - px
        const bu = bx - px
        const cu = cx - px
        const ea = bu * cv - bv * cu
        if (ea < 0 || (ea === 0 && !ownsA)) continue
        const eb = cu * av - cv * au
        if (eb < 0 || (eb === 0 && !ownsB)) continue
        const ec = au * bv - av * bu
        if (ec < 0 || (ec === 0 && !ownsC)) continue
        const sum = ea + eb + ec
        if (!(sum > 0)) continue
        const pixelDepth = Math.fround((ea * az + eb * bz + ec * cz) / sum)
        const q = row * width + column
        if (pixelDepth < depth[q]) {
          depth[q] = pixelDepth
          ids[q] = f
        }
      }
    }
  }
}
