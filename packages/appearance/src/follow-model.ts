import type { PartialTexture } from './fill-hidden.js'
import { luminance } from './luminance.js'
import { between, smoothstep } from './smoothstep.js'
import { enlarge, shrinkWeighted, type shrink } from './pyramid.js'

/** Side of the grid that coarse colours are compared on. */
const GRID = 32
/** How far coarse brightness follows the model: shadows that three bands of light do not know are in the photograph, beards and freckles too. The more unevenly
 * brightness departs from the model, the more of it is shadow. */
const BRIGHTNESS = [0.6, 0.9] as const
/** Standard deviations of those departures, log, between which that share rises. */
const UNEVEN = [0.12, 0.3] as const
/** How far coarse hue does: two lamps of different colours leave more of it than skin has. */
const HUE = 0.85
const LARGEST = Math.log(1.8)
/** Root mean square of what hues of skin, coarsely, differ from the fitted ones in even light, log. */
const EVEN = 0.14
/** How far fine hues may then differ (freckles, make-up), log. */
const FREE = 0.9

/** Brings the coarse colours of a texture towards those of the fitted albedo, and keeps its details: what light is left after a fit is
 * coarse, too. In place.
 *
 * @returns how unevenly coarse brightness departed from the model, standard deviation of its logarithm
 */
export function followModel({ color, weight }: PartialTexture, model: Float32Array, size: number): number {
  const levels = Math.max(0, Math.round(Math.log2(size / GRID)))
  const shrunk = (values: Float32Array) => shrinkWeighted(values, weight, size, 3, levels)
  const known = shrunk(color)
  const seen = blurred(known)
  const fitted = blurred(shrunk(model))
  let [odd, bright, squares, all] = [0, 0, 0, 0]
  const ratio = seen.map((value, i) => {
    const log = Math.log(Math.max(fitted[i], 1e-3) / Math.max(value, 1e-3))
    return Math.min(Math.max(log, -LARGEST), LARGEST)
  })
  for (let i = 0; i < ratio.length; i += 3) {
    const gray = luminance(ratio, i)
    const share = known.weights[i / 3]
    all += share
    bright += share * gray
    squares += share * gray * gray
    for (let c = 0; c < 3; c++) odd += share * (ratio[i + c] - gray) ** 2
  }
  all = Math.max(all, 1e-6)
  const uneven = Math.sqrt(Math.max(squares / all - (bright / all) ** 2, 0))
  const brightness = between(BRIGHTNESS, smoothstep(UNEVEN, uneven))
  for (let i = 0; i < ratio.length; i += 3) {
    const gray = luminance(ratio, i)
    for (let c = 0; c < 3; c++) ratio[i + c] = brightness * gray + HUE * (ratio[i + c] - gray)
  }
  const rms = Math.sqrt(odd / all)
  const factors = enlarge(ratio, size >> levels, 3, levels)
  for (let i = 0; i < color.length; i++) if (color[i] > 0) color[i] *= Math.exp(factors[i])
  boundHues(color, model, (FREE * EVEN) / Math.max(rms, EVEN))
  return uneven
}

/** Draws hues that differ from those of the model towards it: small differences d stay, large ones end at the limit l, d / sqrt(1 + (d / l)^2). In place; luminance stays
 * nearly. */
function boundHues(color: Float32Array, model: Float32Array, limit: number): void {
  const hue = [0, 0, 0]
  for (let at = 0; at < color.length; at += 3) {
    if (!(color[at] > 0 && color[at + 1] > 0 && color[at + 2] > 0)) continue
    for (let c = 0; c < 3; c++) hue[c] = Math.log(color[at + c] / Math.max(model[at + c], 1e-3))
    const gray = luminance(hue, 0)
    const off = Math.max(Math.abs(hue[0] - gray), Math.abs(hue[1] - gray), Math.abs(hue[2] - gray))
    const share = 1 / Math.sqrt(1 + (off / limit) ** 2) - 1
    for (let c = 0; c < 3; c++) color[at + c] *= Math.exp(share * (hue[c] - gray))
  }
}

/** Means with the neighbours, by weights; where nothing is known, of farther ones. */
function blurred({ values, weights, size }: ReturnType<typeof shrink>): Float32Array {
  let [v, w] = [values, weights]
  for (let round = 0; round < 3; round++) {
    const nextValues = v.map((value, i) => {
      const texel = Math.floor(i / 3)
      const column = texel % size
      let sum = 2 * value
      if (column > 0) sum += v[i - 3]
      if (column < size - 1) sum += v[i + 3]
      if (texel >= size) sum += v[i - 3 * size]
      if (texel < w.length - size) sum += v[i + 3 * size]
      return sum / 6
    })
    w = w.map((value, texel) => {
      const column = texel % size
      let sum = 2 * value
      if (column > 0) sum += w[texel - 1]
      if (column < size - 1) sum += w[texel + 1]
      if (texel >= size) sum += w[texel - size]
      if (texel < w.length - size) sum += w[texel + size]
      return sum / 6
    })
    v = nextValues
  }
  return v.map((value, i) => value / Math.max(w[Math.floor(i / 3)], 1e-6))
}
