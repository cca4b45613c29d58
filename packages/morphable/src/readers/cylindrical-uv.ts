import ndarray, { type NdArray } from 'ndarray'

/** Texture coordinates of a face that has none: angle around the head's vertical axis, and height.
 *
 * @param positions - `[N * 3]` mm, model space
 * @returns `[N, 2]` in 0..1, origin at the lower left
 */
export function cylindricalUv(positions: ArrayLike<number>): NdArray<Float32Array> {
  const count = positions.length / 3
  const raw = new Float64Array(count * 2)
  let axis = Infinity
  for (let v = 0; v < count; v++) axis = Math.min(axis, positions[v * 3 + 2])
  for (let v = 0; v < count; v++) {
    raw[v * 2] = Math.atan2(positions[v * 3], positions[v * 3 + 2] - axis + 30)
    raw[v * 2 + 1] = positions[v * 3 + 1]
  }
  const uv = new Float32Array(count * 2)
  for (let c = 0; c < 2; c++) {
    let low = Infinity
    let high = -Infinity
    for (let v = 0; v < count; v++) {
      low = Math.min(low, raw[v * 2 + c])
      high = Math.max(high, raw[v * 2 + c])
    }
    for (let v = 0; v < count; v++) uv[v * 2 + c] = 0.01 + (0.98 * (raw[v * 2 + c] - low)) / (high - low || 1)
  }
  return ndarray(uv, [count, 2])
}
