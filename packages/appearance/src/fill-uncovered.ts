import { sampleField, shrinkWeighted } from './pyramid.js'

/** Gives texels that no triangle covers the colours of the nearest that one covers, ever coarser with the distance, so that filtering and mipmaps
 * show no seam. In place.
 *
 * @param values - `[S * S * C]`
 * @param covered - `[S * S]` 1 or 0
 * @param size - S, a power of two
 */
export function fillUncovered(
  values: Float32Array,
  covered: Float32Array,
  size: number,
  channels: number,
): void {
  if (size === 1) return
  const half = shrinkWeighted(values, covered, size, channels, 1)
  for (let texel = 0; texel < half.weights.length; texel++) {
    const w = half.weights[texel]
    if (w === 0) continue
    for (let c = 0; c < channels; c++) half.values[texel * channels + c] /= w
    half.weights[texel] = 1
  }
  fillUncovered(half.values, half.weights, size >> 1, channels)
  const color = new Float64Array(channels)
  for (let texel = 0; texel < covered.length; texel++) {
    if (covered[texel]) continue
    sampleField(
      color,
      half.values,
      size >> 1,
      ((texel % size) + 0.5) / 2,
      (Math.floor(texel / size) + 0.5) / 2,
    )
    values.set(color, texel * channels)
  }
}
