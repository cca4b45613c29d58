import type { ProjectedVertices } from './projected-vertices.js'

/** Writes perspective-correct barycentrics of one picture, and the far plane's depth where there is no triangle.
 *
 * In homogeneous pixel space, with P_i the vertices relative to the pixel: b_0 : b_1 : b_2 = P_1 x P_2 : P_2 x P_0 : P_0 x P_1.
 */
export function resolveBarycentrics(
  { x, y, w, inverseScale }: ProjectedVertices,
  triangles: Int32Array,
  width: number,
  height: number,
  ids: Int32Array,
  depth: Float32Array,
  barycentrics: Float32Array,
): void {
  let q = 0
  for (let row = 0; row < height; row++) {
    const py = row + 0.5
    for (let column = 0; column < width; column++, q++) {
      const f = ids[q]
      if (f < 0) {
        depth[q] = 1
        barycentrics[3 * q] = 0
        barycentrics[3 * q + 1] = 0
        barycentrics[3 * q + 2] = 0
        continue
      }
      const a = triangles[3 * f]
      const b = triangles[3 * f + 1]
      const c = triangles[3 * f + 2]
      const px = column + 0.5
      const au = x[a] - px * w[a]
      const av = y[a] - py * w[a]
      const bu = x[b] - px * w[b]
      const bv = y[b] - py * w[b]
      const cu = x[c] - px * w[c]
      const cv = y[c] - py * w[c]
      const ea = (bu * cv - bv * cu) * inverseScale[a]
      const eb = (cu * av - cv * au) * inverseScale[b]
      const ec = (au * bv - av * bu) * inverseScale[c]
      const normalize = 1 / (ea + eb + ec)
      barycentrics[3 * q] = ea * normalize
      barycentrics[3 * q + 1] = eb * normalize
      barycentrics[3 * q + 2] = ec * normalize
    }
  }
}

/** Adds the gradient of barycentrics to that of one mesh's clip-space vertices.
 *
 * With u_i = x_i W/2 + w_i (W/2 - p_x), v_i = -y_i H/2 + w_i (H/2 - p_y), e_0 = u_1 v_2 - v_1 u_2 (and cyclic), S = sum e_i,
 * b_i = e_i / S:  dL/de_i = (dL/db_i - sum_j dL/db_j b_j) / S, and the rest by the product rule.
 */
export function barycentricsGradient(
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
