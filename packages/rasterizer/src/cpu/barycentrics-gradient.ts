import type { RasterizeScene } from './rasterize-arrays.js'
import { wasmMemoryOf } from './wasm-memory.js'

/** Fills the gradient of a batch's clip-space vertices from that of the barycentrics. */
export function barycentricsGradient(
  { clip, batch, count, triangles, width, height }: Omit<RasterizeScene, 'cull'>,
  ids: Int32Array,
  upstream: Float32Array,
  gradient: Float32Array,
): void {
  gradient.fill(0)
  const pixels = width * height
  const memory = wasmMemoryOf(clip)
  if (memory === undefined) {
    for (let item = 0; item < batch; item++) {
      const itemIds = ids.subarray(item * pixels, (item + 1) * pixels)
      const itemUpstream = upstream.subarray(3 * item * pixels, 3 * (item + 1) * pixels)
      addGradient(clip, 4 * item * count, triangles, width, height, itemIds, itemUpstream, gradient)
    }
    return
  }
  const starts = [clip, ids, upstream, gradient].map((array) => array.byteOffset)
  const trianglesAt = memory.resident(triangles)
  for (let item = 0; item < batch; item++) {
    const [clipAt, idsAt, upstreamAt, gradientAt] = [16 * count, 4 * pixels, 12 * pixels, 16 * count].map(
      (stride, i) => starts[i] + item * stride,
    )
    memory.kernels.barycentricsGradient(clipAt, trianglesAt, width, height, idsAt, upstreamAt, gradientAt)
  }
}

/** Adds the gradient of one picture's barycentrics to that of its clip-space vertices.
 *
 * With u_i = x_i W/2 + w_i (W/2 - p_x), v_i = -y_i H/2 + w_i (H/2 - p_y), e_0 = u_1 v_2 - v_1 u_2 (and cyclic), S = sum e_i,
 * b_i = e_i / S:  dL/de_i = (dL/db_i - sum_j dL/db_j b_j) / S, and the rest by the product rule.
 */
function addGradient(
  clip: Float32Array,
  offset: number,
  triangles: Int32Array,
  width: number,
  height: number,
  ids: Int32Array,
  upstream: Float32Array,
  gradient: Float32Array,
): void {
  const halfWidth = width / 2
  const halfHeight = height / 2
  let q = 0
  for (let row = 0; row < height; row++) {
    const dy = halfHeight - (row + 0.5)
    for (let column = 0; column < width; column++, q++) {
      const f = ids[q]
      if (f < 0) continue
      const g0 = upstream[3 * q]
      const g1 = upstream[3 * q + 1]
      const g2 = upstream[3 * q + 2]
      if (g0 === g1 && g1 === g2) continue
      const dx = halfWidth - (column + 0.5)
      const a = offset + 4 * triangles[3 * f]
      const b = offset + 4 * triangles[3 * f + 1]
      const c = offset + 4 * triangles[3 * f + 2]
      const u0 = clip[a] * halfWidth + clip[a + 3] * dx
      const v0 = clip[a + 3] * dy - clip[a + 1] * halfHeight
      const u1 = clip[b] * halfWidth + clip[b + 3] * dx
      const v1 = clip[b + 3] * dy - clip[b + 1] * halfHeight
      const u2 = clip[c] * halfWidth + clip[c + 3] * dx
      const v2 = clip[c + 3] * dy - clip[c + 1] * halfHeight
      const e0 = u1 * v2 - v1 * u2
      const e1 = u2 * v0 - v2 * u0
      const e2 = u0 * v1 - v0 * u1
      const sum = e0 + e1 + e2
      if (sum === 0) continue
      const inverse = 1 / sum
      const mean = (g0 * e0 + g1 * e1 + g2 * e2) * inverse
      const h0 = (g0 - mean) * inverse
      const h1 = (g1 - mean) * inverse
      const h2 = (g2 - mean) * inverse
      const du0 = h2 * v1 - h1 * v2
      const dv0 = h1 * u2 - h2 * u1
      const du1 = h0 * v2 - h2 * v0
      const dv1 = h2 * u0 - h0 * u2
      const du2 = h1 * v0 - h0 * v1
      const dv2 = h0 * u1 - h1 * u0
      gradient[a] += du0 * halfWidth
      gradient[a + 1] -= dv0 * halfHeight
      gradient[a + 3] += du0 * dx + dv0 * dy
      gradient[b] += du1 * halfWidth
      gradient[b + 1] -= dv1 * halfHeight
      gradient[b + 3] += du1 * dx + dv1 * dy
      gradient[c] += du2 * halfWidth
      gradient[c + 1] -= dv2 * halfHeight
      gradient[c + 3] += du2 * dx + dv2 * dy
    }
  }
}
