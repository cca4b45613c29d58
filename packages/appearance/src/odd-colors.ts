import { luminance } from './luminance.js'
import type { PhotographTexture } from './photograph-texture.js'
import { shrink, enlarge, weighted } from './pyramid.js'

/** Logarithms by which a frame, its shadow or its gleam differ from the skin around, in luminance and in hue. */
const DARK = 0.24
const HUE = 0.22

/** Share of the texels of each place of the grid that have a state. */
export function shrinkMask(states: Uint8Array, state: number, size: number, levels: number): Float32Array {
  const mask = Float32Array.from(states, (value) => (value === state ? 1 : 0))
  return shrink(mask, mask, size, 1, levels).values
}

/** 1 where the texture's colours, relative to the model's, are others than around. */
export function oddColors(
  { color, weight }: PhotographTexture,
  albedo: Float32Array,
  hidden: Uint8Array,
  size: number,
  levels: number,
): Uint8Array {
  const small = shrink(weighted(color, weight, 3), weight, size, 3, levels)
  const model = shrink(weighted(albedo, weight, 3), weight, size, 3, levels).values
  const grid = small.size
  const log = new Float32Array(3 * grid * grid)
  const trust = small.weights.map((w, at) => (hidden[at] ? 0 : w))
  for (let i = 0; i < log.length; i++)
    log[i] = Math.log(Math.max(small.values[i], 1e-4) / Math.max(model[i], 1e-4))
  // What is odd counts for nothing when the surroundings are looked at once more.
  const odd = new Uint8Array(grid * grid)
  const coarse = Math.max(0, Math.round(Math.log2(grid / 8)))
  for (let round = 0; round < 2; round++) {
    const own = trust.map((w, at) => (odd[at] ? 0 : w))
    const wide = shrink(weighted(log, own, 3), own, grid, 3, coarse)
    let [sum, total] = [[0, 0, 0], 1e-9]
    for (let i = 0; i < wide.weights.length; i++) {
      total += wide.weights[i]
      for (let c = 0; c < 3; c++) sum[c] += wide.values[3 * i + c]
    }
    sum = sum.map((value) => value / total)
    // A little of the mean, where little is known around.
    const around = enlarge(
      wide.values.map((value, i) => (value + 0.02 * sum[i % 3]) / (wide.weights[Math.floor(i / 3)] + 0.02)),
      wide.size,
      3,
      coarse,
    )
    const off = [0, 0, 0]
    for (let at = 0; at < odd.length; at++) {
      if (trust[at] === 0) continue
      for (let c = 0; c < 3; c++) off[c] = log[3 * at + c] - around[3 * at + c]
      const gray = luminance(off, 0)
      const hue = Math.max(...off.map((value) => Math.abs(value - gray)))
      odd[at] = Math.abs(gray) > DARK || hue > HUE ? 1 : 0
    }
  }
  return odd
}

/** What lies within a distance of the mask, in texels; in a square, which is twice as fast and as good. */
export function dilated(mask: Uint8Array, grid: number, reach: number): Uint8Array {
  const across = new Uint8Array(mask.length)
  const all = new Uint8Array(mask.length)
  for (let at = 0; at < mask.length; at++) {
    if (!mask[at]) continue
    const row = at - (at % grid)
    const column = at % grid
    across.fill(1, row + Math.max(column - reach, 0), row + Math.min(column + reach, grid - 1) + 1)
  }
  for (let at = 0; at < mask.length; at++) {
    if (!across[at]) continue
    const row = Math.floor(at / grid)
    for (let other = Math.max(row - reach, 0); other <= Math.min(row + reach, grid - 1); other++)
      all[other * grid + (at % grid)] = 1
  }
  return all
}
