import type { PartialTexture } from './fill-hidden.js'
import { membrane } from './membrane.js'
import { enlarge, shrinkWeighted } from './pyramid.js'

/** Side of the grid that tones are matched on: what a fit leaves of the light is coarse. */
const GRID = 32
/** Rounds of agreeing and spreading; the third changes tones by less than one per cent. */
const ROUNDS = 4
/** Largest factor of a tone. */
const LARGEST = Math.log(2)
const DARKEST = 1e-3

/** Brings the tones of several textures of one face together: what their fits have left of different lights would show as seams where one picture ends. In
 * place.
 *
 * Each texture is multiplied by a smooth factor exp(g). All g minimise, over places x and pictures i that see them with weights w,
 *   sum w_i w_j |log c_i + g_i - log c_j - g_j|^2 + sum |grad g_i|^2,
 * by turns: the pictures' mean tone at each place, then for each picture the smoothest way to it (`membrane`). What only one picture sees follows
 * smoothly; the mean tone of all stays.
 *
 * @param textures - of one size
 * @param size - their side, a power of two
 */
export function matchTones(textures: readonly PartialTexture[], size: number): void {
  if (textures.length < 2) return
  const levels = Math.max(0, Math.round(Math.log2(size / GRID)))
  const grid = size >> levels
  const places = grid * grid
  const coarse = textures.map(({ color, weight }) => {
    // As they are blended.
    const cubes = weight.map((value) => value ** 3)
    const { values, weights } = shrinkWeighted(color, cubes, size, 3, levels)
    const tones = values.map((value, i) =>
      Math.log(Math.max(value / Math.max(weights[Math.floor(i / 3)], 1e-9), DARKEST)),
    )
    const gains: Float32Array = new Float32Array(3 * places)
    return { tones, weights, gains }
  })
  for (let round = 0; round < ROUNDS; round++) {
    const mean = new Float32Array(3 * places)
    const total = new Float32Array(places)
    for (const { tones, weights, gains } of coarse) {
      for (let i = 0; i < mean.length; i++) mean[i] += weights[Math.floor(i / 3)] * (tones[i] + gains[i])
      for (let p = 0; p < places; p++) total[p] += weights[p]
    }
    for (let i = 0; i < mean.length; i++) mean[i] /= Math.max(total[Math.floor(i / 3)], 1e-9)
    for (const picture of coarse) {
      const { tones, weights } = picture
      // Where nobody else looks there is nothing to agree on.
      const shared = weights.map((w, p) => Math.min(w, total[p] - w, 1))
      const known = tones.map((tone, i) => {
        const off = Math.min(Math.max(mean[i] - tone, -LARGEST), LARGEST)
        return Math.max(shared[Math.floor(i / 3)], 0) * off
      })
      picture.gains = membrane(
        known,
        shared.map((w) => Math.max(w, 0)),
        grid,
        3,
      )
    }
  }
  for (const [t, { color }] of textures.entries()) {
    const gains = enlarge(coarse[t].gains, grid, 3, levels)
    for (let i = 0; i < color.length; i++) color[i] *= Math.exp(gains[i])
  }
}
