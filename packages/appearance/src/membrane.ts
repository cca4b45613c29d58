import { double, halve } from './pyramid.js'

/** Sweeps at each level; each begins with the solution of the coarser one. */
const SWEEPS = 12
/** How strongly known values hold, relative to one neighbour. */
const HOLD = 4

/** Spreads values that are known in places over a whole square field, as smoothly as can be: the seam between two textures, taken up by all
 * of the second one.
 *
 * minimises  sum HOLD w (m - d)^2 + sum over neighbours (m - m')^2        (Perez et al., Poisson Image Editing, SIGGRAPH 2003, for the difference of
 * the two), by Gauss-Seidel from the coarsest grid to the finest.
 *
 * @param known - `[S * S * C]` values d times weights w
 * @param weights - `[S * S]` w, 0..1
 * @param size - S, a power of two
 * @returns `[S * S * C]` m
 */
export function membrane(
  known: Float32Array,
  weights: Float32Array,
  size: number,
  channels: number,
): Float32Array {
  if (size <= 2) {
    const total = weights.reduce((sum, w) => sum + w, 0)
    const mean = Array.from({ length: channels }, (_, c) => {
      let sum = 0
      for (let i = 0; i < weights.length; i++) sum += known[i * channels + c]
      return total > 1e-9 ? sum / total : 0
    })
    return Float32Array.from({ length: weights.length * channels }, (_, i) => mean[i % channels])
  }
  const coarse = halve(known, weights, size, channels)
  const half = membrane(coarse.values, coarse.weights, size >> 1, channels)
  const field = double(half, size >> 1, channels)
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        const at = row * size + column
        const hold = HOLD * weights[at]
        const count =
          (row > 0 ? 1 : 0) + (row < size - 1 ? 1 : 0) + (column > 0 ? 1 : 0) + (column < size - 1 ? 1 : 0)
        for (let c = 0; c < channels; c++) {
          const i = at * channels + c
          let sum = HOLD * known[i]
          if (row > 0) sum += field[i - size * channels]
          if (row < size - 1) sum += field[i + size * channels]
          if (column > 0) sum += field[i - channels]
          if (column < size - 1) sum += field[i + channels]
          field[i] = sum / (hold + count)
        }
      }
    }
  }
  return field
}
