import type { ProjectedVertices } from './projected-vertices.js'

/* Contributor notes
 *
 * Faces have some ten thousand triangles of about a pixel, so most of the time goes into triangles that hold no pixel centre.
 *
 * Cells: a vertex' cell is the first pixel centre at or after it. A triangle owns centres from its least cell up to, not
 * including, its greatest: the top-left rule never gives it a centre as far right or as low as its last vertex. So a triangle whose
 * three cells are in one column or in one row is done with, after three loads and a few integer operations.
 *
 * Watertight: x and y are multiples of 2^-32 pixels, so that the difference of a vertex and a pixel centre is exact (up to 2^19
 * pixels away). The edge function is taken relative to the pixel, e = (a - p) x (b - p), and the sign of its float64 value
 * is that of the exact one, unless the value is 0: rounding keeps the order of two products. Only then the exact sign is
 * needed (exact-sign.ts), and, if that is 0 too, the rule by which top and left edges belong to a triangle. The usual
 * (b - a) x (p - a) does not have these properties. Beyond 2^19 pixels differences are rounded, but a shared edge still has
 * the same value, negated, for both triangles.
 *
 * What is rare is put off: triangles with a value of 0, and those with a vertex behind the eye or outside of near and far, are
 * listed and scanned by scan-deferred-triangle.ts. The order does not matter, since on equal depth the lower index wins.
 *
 * Depths are compared after rounding to float32, as they are stored.
 *
 * Two versions give the same bits: this one for the `cpu` backend, assembly/rasterize.ts for `wasm`, in whose memory it runs. Times
 * of 35,721 vertices, 70,688 triangles, 224 x 224, one core, in one run (benchmarks/rasterize.ts), relative to a plain loop over
 * bounding boxes in float64 without any of the promises above:
 *   1.5    everything in TypeScript, float64, a bounding box in pixels for each triangle (the first version)
 *   0.93   cells, and a list of the 60 % of triangles that are left; in TypeScript
 *   0.58   the same in WebAssembly, vectors of two float64 for x and y
 *   0.43   two vertices at a time; boxes of one centre on their own; hits first listed without a branch, then drawn
 *   0.50   that, with ties, culling, clipping, tensors and all: what `rasterize` takes
 * Boxes of one centre are 60 % of those that are left; looping over them as over the others costs 0.09.
 */

/** Which triangles are left out: none, those seen from their back (clockwise), or those seen from their front. */
export type Cull = 'none' | 'back' | 'front'

/** One picture's part of the fragments. */
export interface FragmentArrays {
  /** `[H * W]` */
  ids: Int32Array
  /** `[H * W]` */
  depth: Float32Array
  /** `[H * W * 3]` */
  barycentrics: Float32Array
}

let survivors = new Int32Array(0)

/** Finds the nearest triangle at each pixel centre of one picture, but for the triangles that it puts off.
 *
 * @param deferred - `[F]` gets the triangles that are left
 * @returns how many are left
 */
export function scanTriangles(
  { records, cells, special }: ProjectedVertices,
  triangles: Int32Array,
  width: number,
  cull: Cull,
  { ids, depth, barycentrics }: FragmentArrays,
  deferred: Int32Array,
): number {
  let left = 0
  const keepPositive = cull !== 'back'
  const keepNegative = cull !== 'front'
  ids.fill(-1)
  depth.fill(1)
  barycentrics.fill(0)
  const count = triangles.length / 3
  if (survivors.length < count) survivors = new Int32Array(count)
  const list = survivors
  let length = 0
  for (let f = 0, k = 0; f < count; f++, k += 3) {
    const a = cells[triangles[k]]
    const b = cells[triangles[k + 1]]
    const c = cells[triangles[k + 2]]
    if (special && ((a | b | c) & 0x8000) !== 0) {
      deferred[left++] = f
      continue
    }
    const difference = (a ^ b) | (a ^ c)
    // 1 when both halves are not 0, without a branch that cannot be foretold.
    list[length] = f
    length += (((difference & 0xffff) + 0xffff) >>> 16) & (((difference >>> 16) + 0xffff) >>> 16)
  }
  for (let i = 0; i < length; i++) {
    const f = list[i]
    const ia = triangles[3 * f]
    const ib = triangles[3 * f + 1]
    const ic = triangles[3 * f + 2]
    const ca = cells[ia]
    const cb = cells[ib]
    const cc = cells[ic]
    const [x0, x1] = [
      least(ca & 0xffff, cb & 0xffff, cc & 0xffff),
      most(ca & 0xffff, cb & 0xffff, cc & 0xffff),
    ]
    const [y0, y1] = [least(ca >>> 16, cb >>> 16, cc >>> 16), most(ca >>> 16, cb >>> 16, cc >>> 16)]
    const a = 4 * ia
    const b = 4 * ib
    const c = 4 * ic
    const ax = records[a]
    const ay = records[a + 1]
    const bx = records[b]
    const by = records[b + 1]
    const cx = records[c]
    const cy = records[c + 1]
    let zero = false
    for (let row = y0; row < y1; row++) {
      const av = ay - (row + 0.5)
      const bv = by - (row + 0.5)
      const cv = cy - (row + 0.5)
      for (let column = x0; column < x1; column++) {
        const au = ax - (column + 0.5)
        const bu = bx - (column + 0.5)
        const cu = cx - (column + 0.5)
        const ea = bu * cv - bv * cu
        const eb = cu * av - cv * au
        const ec = au * bv - av * bu
        if (ea === 0 || eb === 0 || ec === 0) zero = true
        else if (
          (keepPositive && ea > 0 && eb > 0 && ec > 0) ||
          (keepNegative && ea < 0 && eb < 0 && ec < 0)
        ) {
          const ratio = (ea * records[a + 2] + eb * records[b + 2] + ec * records[c + 2]) / (ea + eb + ec)
          const pixelDepth = Math.fround(ratio)
          const q = row * width + column
          if (pixelDepth < depth[q] || (pixelDepth === depth[q] && f < ids[q] >>> 0)) {
            depth[q] = pixelDepth
            ids[q] = f
            const wa = ea * records[a + 3]
            const wb = eb * records[b + 3]
            const wc = ec * records[c + 3]
            const normalize = 1 / (wa + wb + wc)
            barycentrics[3 * q] = wa * normalize
            barycentrics[3 * q + 1] = wb * normalize
            barycentrics[3 * q + 2] = wc * normalize
          }
        }
      }
    }
    if (zero) deferred[left++] = f
  }
  return left
}

const least = (a: number, b: number, c: number) => (a < b ? (a < c ? a : c) : b < c ? b : c)
const most = (a: number, b: number, c: number) => (a > b ? (a > c ? a : c) : b > c ? b : c)
