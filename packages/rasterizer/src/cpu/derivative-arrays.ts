/** Derivatives of the edge functions, x and y of each. Reused. */
const slopes = new Float64Array(6)

/** Fills `output` `[B, H, W, 2 C]` with the attributes' derivatives along x and y; see `interpolateDerivatives`. */
export function derivativesOfAttributes(
  attributes: Float32Array,
  ids: Int32Array,
  clip: Float32Array,
  triangles: Int32Array,
  [batch, height, width]: readonly number[],
  [attributeBatch, count, channels]: readonly number[],
  output: Float32Array,
): void {
  const pixels = width * height
  const [halfWidth, halfHeight] = [width / 2, height / 2]
  output.fill(0)
  for (let q = 0; q < batch * pixels; q++) {
    const f = ids[q]
    if (f < 0) continue
    const item = Math.floor(q / pixels)
    const pixel = q - item * pixels
    const dx = halfWidth - ((pixel % width) + 0.5)
    const dy = halfHeight - (Math.floor(pixel / width) + 0.5)
    const [a, b, c] = [0, 1, 2].map((k) => triangles[3 * f + k])
    const [p0, p1, p2] = [a, b, c].map((vertex) => 4 * (item * count + vertex))
    const [w0, w1, w2] = [clip[p0 + 3], clip[p1 + 3], clip[p2 + 3]]
    const u0 = clip[p0] * halfWidth + w0 * dx
    const v0 = w0 * dy - clip[p0 + 1] * halfHeight
    const u1 = clip[p1] * halfWidth + w1 * dx
    const v1 = w1 * dy - clip[p1 + 1] * halfHeight
    const u2 = clip[p2] * halfWidth + w2 * dx
    const v2 = w2 * dy - clip[p2 + 1] * halfHeight
    const e0 = u1 * v2 - v1 * u2
    const e1 = u2 * v0 - v2 * u0
    const e2 = u0 * v1 - v0 * u1
    const sum = e0 + e1 + e2
    slopes[0] = v1 * w2 - w1 * v2
    slopes[1] = w1 * u2 - u1 * w2
    slopes[2] = v2 * w0 - w2 * v0
    slopes[3] = w2 * u0 - u2 * w0
    slopes[4] = v0 * w1 - w0 * v1
    slopes[5] = w0 * u1 - u0 * w1
    const base = attributeBatch === 1 ? 0 : item * count
    for (let axis = 0; axis < 2; axis++) {
      const total = slopes[axis] + slopes[2 + axis] + slopes[4 + axis]
      const d0 = (slopes[axis] - (e0 / sum) * total) / sum
      const d1 = (slopes[2 + axis] - (e1 / sum) * total) / sum
      const d2 = (slopes[4 + axis] - (e2 / sum) * total) / sum
      const check = d0 + d1 + d2
      if (check - check !== 0) continue
      for (let k = 0; k < channels; k++) {
        output[(q * channels + k) * 2 + axis] =
          d0 * attributes[(base + a) * channels + k] +
          d1 * attributes[(base + b) * channels + k] +
          d2 * attributes[(base + c) * channels + k]
      }
    }
  }
}
