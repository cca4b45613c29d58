/** Fills `output` `[B, H, W, C]` with interpolated attributes; 0 where there is no triangle. */
export function interpolateAttributes(
  attributes: Float32Array,
  barycentrics: Float32Array,
  ids: Int32Array,
  triangles: Int32Array,
  batch: number,
  [attributeBatch, count, channels]: readonly number[],
  output: Float32Array,
): void {
  const pixels = ids.length / batch
  const stride = attributeBatch === 1 ? 0 : count * channels
  for (let q = 0, o = 0; q < ids.length; q++, o += channels) {
    const f = ids[q]
    if (f < 0) {
      for (let k = 0; k < channels; k++) output[o + k] = 0
      continue
    }
    const base = stride === 0 ? 0 : Math.floor(q / pixels) * stride
    const a = base + triangles[3 * f] * channels
    const b = base + triangles[3 * f + 1] * channels
    const c = base + triangles[3 * f + 2] * channels
    const wa = barycentrics[3 * q]
    const wb = barycentrics[3 * q + 1]
    const wc = barycentrics[3 * q + 2]
    for (let k = 0; k < channels; k++) {
      output[o + k] = wa * attributes[a + k] + wb * attributes[b + k] + wc * attributes[c + k]
    }
  }
}

/** Fills `gradient`, of the attributes' shape, with the sum over pixels of b_i times the upstream gradient. */
export function spreadToAttributes(
  barycentrics: Float32Array,
  ids: Int32Array,
  upstream: Float32Array,
  triangles: Int32Array,
  batch: number,
  [attributeBatch, count, channels]: readonly number[],
  gradient: Float32Array,
): void {
  const pixels = ids.length / batch
  const stride = attributeBatch === 1 ? 0 : count * channels
  gradient.fill(0)
  for (let q = 0, o = 0; q < ids.length; q++, o += channels) {
    const f = ids[q]
    if (f < 0) continue
    const base = stride === 0 ? 0 : Math.floor(q / pixels) * stride
    const a = base + triangles[3 * f] * channels
    const b = base + triangles[3 * f + 1] * channels
    const c = base + triangles[3 * f + 2] * channels
    const wa = barycentrics[3 * q]
    const wb = barycentrics[3 * q + 1]
    const wc = barycentrics[3 * q + 2]
    for (let k = 0; k < channels; k++) {
      const g = upstream[o + k]
      gradient[a + k] += wa * g
      gradient[b + k] += wb * g
      gradient[c + k] += wc * g
    }
  }
}

/** Fills `gradient` `[B, H, W, 3]` with the products of the upstream gradient and the attributes of each vertex. */
export function spreadToBarycentrics(
  attributes: Float32Array,
  ids: Int32Array,
  upstream: Float32Array,
  triangles: Int32Array,
  batch: number,
  [attributeBatch, count, channels]: readonly number[],
  gradient: Float32Array,
): void {
  const pixels = ids.length / batch
  const stride = attributeBatch === 1 ? 0 : count * channels
  for (let q = 0, o = 0; q < ids.length; q++, o += channels) {
    const f = ids[q]
    let da = 0
    let db = 0
    let dc = 0
    if (f >= 0) {
      const base = stride === 0 ? 0 : Math.floor(q / pixels) * stride
      const a = base + triangles[3 * f] * channels
      const b = base + triangles[3 * f + 1] * channels
      const c = base + triangles[3 * f + 2] * channels
      for (let k = 0; k < channels; k++) {
        const g = upstream[o + k]
        da += g * attributes[a + k]
        db += g * attributes[b + k]
        dc += g * attributes[c + k]
      }
    }
    gradient[3 * q] = da
    gradient[3 * q + 1] = db
    gradient[3 * q + 2] = dc
  }
}
