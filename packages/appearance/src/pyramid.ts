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
  // The two coarse places around each fine one, and the share of the second.
  const firsts = new Int32Array(large)
  const seconds = new Int32Array(large)
  const shares = new Float32Array(large)
  for (let place = 0; place < large; place++) {
    const at = Math.max((place + 0.5) / 2 - 0.5, 0)
    firsts[place] = Math.min(Math.floor(at), size - 1)
    seconds[place] = Math.min(firsts[place] + 1, size - 1)
    shares[place] = at - firsts[place]
  }
  let to = 0
  for (let row = 0; row < large; row++) {
    const top = firsts[row] * size
    const below = seconds[row] * size
    const down = shares[row]
    for (let column = 0; column < large; column++) {
      const left = firsts[column]
      const next = seconds[column]
      const right = shares[column]
      for (let c = 0; c < channels; c++, to++) {
        const upper =
          values[(top + left) * channels + c] * (1 - right) + values[(top + next) * channels + c] * right
        const lower =
          values[(below + left) * channels + c] * (1 - right) + values[(below + next) * channels + c] * right
        result[to] = upper * (1 - down) + lower * down
      }
    }
  }
  return result
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
