/** Values times weights, `[T * C]` and `[T]`. */
export function weighted(values: Float32Array, weights: Float32Array, channels: number): Float32Array {
  const result = new Float32Array(values.length)
  for (let texel = 0, i = 0; texel < weights.length; texel++) {
    const w = weights[texel]
    for (let c = 0; c < channels; c++, i++) result[i] = w * values[i]
  }
  return result
}

/** Halves a square field with weights: sums of weighted values and of weights over 2 x 2.
 *
 * @param values - `[S * S * C]`, weighted
 * @param weights - `[S * S]`
 */
export function halve(
  values: Float32Array,
  weights: Float32Array,
  size: number,
  channels: number,
): { values: Float32Array; weights: Float32Array } {
  const half = size >> 1
  const smallValues = new Float32Array(half * half * channels)
  const smallWeights = new Float32Array(half * half)
  for (let row = 0; row < half; row++) {
    for (let column = 0; column < half; column++) {
      const to = row * half + column
      const from = 2 * row * size + 2 * column
      smallWeights[to] =
        (weights[from] + weights[from + 1] + weights[from + size] + weights[from + size + 1]) / 4
      for (let c = 0; c < channels; c++) {
        const at = from * channels + c
        const below = at + size * channels
        smallValues[to * channels + c] =
          (values[at] + values[at + channels] + values[below] + values[below + channels]) / 4
      }
    }
  }
  return { values: smallValues, weights: smallWeights }
}

/** Doubles the side of a square field by bilinear interpolation, texel centres at +0.5: a quarter of one neighbour and three of the other, first down, then across. */
export function double(values: Float32Array, size: number, channels: number): Float32Array {
  const large = 2 * size
  const width = size * channels
  const result = new Float32Array(large * large * channels)
  const line = new Float32Array(width)
  for (let row = 0; row < large; row++) {
    const near = (row >> 1) * width
    const other = Math.min(Math.max((row >> 1) + (row % 2 === 0 ? -1 : 1), 0), size - 1) * width
    for (let i = 0; i < width; i++) line[i] = 0.75 * values[near + i] + 0.25 * values[other + i]
    const to = row * large * channels
    for (let column = 0; column < size; column++) {
      const at = column * channels
      const left = column > 0 ? at - channels : at
      const right = column < size - 1 ? at + channels : at
      for (let c = 0; c < channels; c++) {
        const own = 0.75 * line[at + c]
        result[to + 2 * at + c] = own + 0.25 * line[left + c]
        result[to + 2 * at + channels + c] = own + 0.25 * line[right + c]
      }
    }
  }
  return result
}

/** `halve` of `weighted` values, `levels` times; the first time without a copy of the whole field. */
export function shrinkWeighted(
  values: Float32Array,
  weights: Float32Array,
  size: number,
  channels: number,
  levels: number,
): { values: Float32Array; weights: Float32Array; size: number } {
  if (levels < 1) return { values: weighted(values, weights, channels), weights, size }
  const half = size >> 1
  const smallValues = new Float32Array(half * half * channels)
  const smallWeights = new Float32Array(half * half)
  for (let row = 0; row < half; row++) {
    for (let column = 0; column < half; column++) {
      const a = 2 * row * size + 2 * column
      const b = a + 1
      const c = a + size
      const d = c + 1
      const wa = weights[a] / 4
      const wb = weights[b] / 4
      const wc = weights[c] / 4
      const wd = weights[d] / 4
      const total = wa + wb + wc + wd
      if (total === 0) continue
      const to = row * half + column
      smallWeights[to] = total
      for (let k = 0; k < channels; k++)
        smallValues[to * channels + k] =
          wa * values[a * channels + k] +
          wb * values[b * channels + k] +
          wc * values[c * channels + k] +
          wd * values[d * channels + k]
    }
  }
  return shrink(smallValues, smallWeights, half, channels, levels - 1)
}

/** Shrinks by halving, `levels` times. */
export function shrink(
  values: Float32Array,
  weights: Float32Array,
  size: number,
  channels: number,
  levels: number,
): { values: Float32Array; weights: Float32Array; size: number } {
  let level = { values, weights }
  for (let i = 0; i < levels; i++) level = halve(level.values, level.weights, size >> i, channels)
  return { ...level, size: size >> levels }
}

/** Enlarges by doubling, `levels` times. */
export function enlarge(values: Float32Array, size: number, channels: number, levels: number): Float32Array {
  let result = values
  for (let i = 0; i < levels; i++) result = double(result, size << i, channels)
  return result
}

/** Bilinear value of a square field at a place, x and y in its cells, centres at +0.5; beyond the border that of the border.
 *
 * @param to - gets the channels
 */
export function sampleField(
  to: Float64Array,
  values: Float32Array,
  size: number,
  x: number,
  y: number,
): void {
  const channels = to.length
  const u = Math.min(Math.max(x - 0.5, 0), size - 1)
  const v = Math.min(Math.max(y - 0.5, 0), size - 1)
  const column = Math.min(Math.floor(u), Math.max(size - 2, 0))
  const row = Math.min(Math.floor(v), Math.max(size - 2, 0))
  const right = u - column
  const down = v - row
  const at = (row * size + column) * channels
  const next = size > 1 ? channels : 0
  const below = size > 1 ? size * channels : 0
  for (let c = 0; c < channels; c++) {
    const upper = values[at + c] * (1 - right) + values[at + next + c] * right
    const lower = values[at + below + c] * (1 - right) + values[at + below + next + c] * right
    to[c] = upper * (1 - down) + lower * down
  }
}
