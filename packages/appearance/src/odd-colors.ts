import { luminance } from './luminance.js'
import type { PhotographTexture } from './photograph-texture.js'
import { enlarge, shrinkWeighted } from './pyramid.js'

/** Logarithms by which a frame, its shadow or its gleam differ from the skin around, in luminance and in hue. */
const DARK = 0.24
const HUE = 0.22

/** Side of the grid that is looked at; a coarse map is its own. */
const GRID = 256

/** Halvings from a map to the grid. */
export const gridLevels = (size: number) => Math.max(0, Math.round(Math.log2(size / GRID)))

/** Share of the texels of each place of the grid that have a state. */
export function shareOf(state: number, states: Uint8Array, size: number): Float32Array {
  const levels = gridLevels(size)
  const grid = size >> levels
  const share = new Float32Array(grid * grid)
  const part = 1 / (1 << (2 * levels))
  for (let texel = 0; texel < states.length; texel++) {
    if (states[texel] !== state) continue
    share[(Math.floor(texel / size) >> levels) * grid + ((texel % size) >> levels)] += part
  }
  return share
}

/** Which places of the grid have a texel above 0. */
export function anyOf(values: Float32Array, size: number): Uint8Array {
  const levels = gridLevels(size)
  const grid = size >> levels
  const any = new Uint8Array(grid * grid)
  for (let texel = 0; texel < values.length; texel++)
    if (values[texel] > 0) any[(Math.floor(texel / size) >> levels) * grid + ((texel % size) >> levels)] = 1
  return any
}

/** 1 where the texture's colours, relative to the model's, are others than around. */
export function oddColors(
  { color, weight }: PhotographTexture,
  albedo: Float32Array,
  hidden: Uint8Array,
  size: number,
): Uint8Array {
  const levels = gridLevels(size)
  const grid = size >> levels
  const trust = new Float32Array(grid * grid)
  const [own, model] = [new Float32Array(3 * grid * grid), new Float32Array(3 * grid * grid)]
  for (let texel = 0; texel < weight.length; texel++) {
    const w = weight[texel]
    if (w === 0) continue
    const at = (Math.floor(texel / size) >> levels) * grid + ((texel % size) >> levels)
    if (hidden[at]) continue
    trust[at] += w
    for (let c = 0; c < 3; c++) {
      own[3 * at + c] += w * color[3 * texel + c]
      model[3 * at + c] += w * albedo[3 * texel + c]
    }
  }
  const log = new Float32Array(own.length)
  for (let i = 0; i < log.length; i++)
    if (trust[Math.floor(i / 3)] > 0) log[i] = Math.log(Math.max(own[i], 1e-4) / Math.max(model[i], 1e-4))
  for (let at = 0; at < trust.length; at++) trust[at] /= 1 << (2 * levels)
  // What is odd counts for nothing when the surroundings are looked at once more.
  const odd = new Uint8Array(grid * grid)
  const coarse = Math.max(0, Math.round(Math.log2(grid / 8)))
  for (let round = 0; round < 2; round++) {
    const even = trust.map((w, at) => (odd[at] ? 0 : w))
    const wide = shrinkWeighted(log, even, grid, 3, coarse)
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
