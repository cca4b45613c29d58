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

/** Doubles the side of a square field by bilinear interpolation, texel centres at +0.5. */
export function double(values: Float32Array, size: number, channels: number): Float32Array {
  const large = 2 * size
  const result = new Float32Array(large * large * channels)
  for (let row = 0; row < large; row++) {
    const [top, below, down] = between(row, size)
    for (let column = 0; column < large; column++) {
      const [left, next, right] = between(column, size)
      for (let c = 0; c < channels; c++) {
        const upper =
          values[(top * size + left) * channels + c] * (1 - right) +
          values[(top * size + next) * channels + c] * right
        const lower =
          values[(below * size + left) * channels + c] * (1 - right) +
          values[(below * size + next) * channels + c] * right
        result[(row * large + column) * channels + c] = upper * (1 - down) + lower * down
      }
    }
  }
  return result
}

/** The two coarse places around a fine one, and the share of the second. */
function between(place: number, size: number): [first: number, second: number, share: number] {
  const at = Math.max((place + 0.5) / 2 - 0.5, 0)
  const first = Math.min(Math.floor(at), size - 1)
  return [first, Math.min(first + 1, size - 1), at - first]
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
