import { luminance } from './luminance.js'
import type { PartialTexture } from './fill-hidden.js'
import { membrane } from './membrane.js'
import { enlarge, shrinkWeighted } from './pyramid.js'
import { between, smoothstep } from './smoothstep.js'

/** Side of the grid that edges of shadows are taken out on: a cell is a millimetre and a half. */
const GRID = 128
/** Unevenness of a texture's coarse brightness (see `followModel`) between which shadows count as cast by a hard lamp. */
const HARD = [0.18, 0.27] as const
/** Logarithms of brightness that skin has of its own: small ones d stay, what is beyond goes, d / (1 + (d / l)^4). */
const OWN = 0.14
const LARGEST = 1.2
/** Share of what is below the nose that is dark on both sides between which that counts as a beard; how far from the middle it is looked for, and over which part of the map it rises, of its side. */
const BEARDED = [0.3, 0.5] as const
const BEARD_REACH = 0.25
const BEARD_RISE = 0.06
/** Halvings after which a beard has no edges. */
const BEARD_LEVELS = 3

/** Takes the edges of shadows out that coarse corrections leave: in the light of a hard lamp, what differs in brightness from the model's albedo by more than skin does is the
 * lamp's. Brows, eyes and lips keep what is theirs. Below the tip of the nose, where beards are, what both sides have in common stays, if it is as much as a beard is. In place.
 *
 * @param uneven - of the texture's coarse brightness, standard deviation of its logarithm
 * @param features - `[S * S]` above 0 on lips, brows and eyes
 * @param beard - row of the map, 0..1, below which beards grow
 */
export function flattenShadows(
  { color, weight }: PartialTexture,
  {
    albedo,
    features,
    uneven,
    beard,
    symmetric,
    size,
  }: {
    albedo: Float32Array
    features: Float32Array
    uneven: number
    beard: number
    symmetric: boolean
    size: number
  },
): void {
  const strength = smoothstep(HARD, uneven)
  if (strength === 0) return
  const levels = Math.max(0, Math.round(Math.log2(size / GRID)))
  const skin = new Float32Array(weight.length)
  for (let texel = 0; texel < skin.length; texel++) skin[texel] = features[texel] > 0 ? 0 : weight[texel]
  const seen = shrinkWeighted(color, skin, size, 3, levels)
  const model = shrinkWeighted(albedo, skin, size, 3, levels).values
  const grid = seen.size
  const off = new Float32Array(grid * grid)
  for (let cell = 0; cell < off.length; cell++) {
    if (seen.weights[cell] === 0) continue
    const [own, known] = [luminance(seen.values, 3 * cell), luminance(model, 3 * cell)]
    const log = Math.log(Math.max(own, 1e-4) / Math.max(known, 1e-4))
    off[cell] = Math.min(Math.max(log, -LARGEST), LARGEST)
  }
  const beardOf = symmetric ? beardShade(off, seen.weights, grid, beard) : undefined
  const change = new Float32Array(grid * grid)
  for (let cell = 0; cell < off.length; cell++) {
    const d = off[cell] - (beardOf?.[cell] ?? 0)
    change[cell] = strength * (d / (1 + (d / OWN) ** 4) - d)
  }
  // A shadow goes on over lids and brows; where it is known its edge stays as sharp as it is.
  const known = change.map((value, cell) => value * seen.weights[cell])
  const spread = membrane(known, seen.weights, grid, 1)
  const factors = enlarge(
    change.map((value, cell) => between([spread[cell], value], Math.min(seen.weights[cell], 1))),
    grid,
    1,
    levels,
  )
  for (let texel = 0; texel < weight.length; texel++) {
    const factor = Math.exp(factors[texel])
    for (let c = 0; c < 3; c++) color[3 * texel + c] *= factor
  }
}

/** Darkness of a beard: what both sides have in common below a row of the map, where that is much of them; smooth, so that no edge of a shadow is in it. A shadow that crosses the middle
 * is dark on both sides, too, but nowhere else.
 *
 * @returns `[G * G]` logarithms, at most 0
 */
function beardShade(off: Float32Array, weights: Float32Array, grid: number, beard: number): Float32Array {
  const common = new Float32Array(off.length)
  let [dark, all] = [0, 1e-9]
  for (let cell = Math.floor(beard * grid) * grid; cell < off.length; cell++) {
    const other = cell - 2 * (cell % grid) + grid - 1
    if (weights[cell] === 0 || weights[other] === 0) continue
    common[cell] = Math.min(Math.max(off[cell], off[other]), 0)
    const inMiddle = Math.abs((cell % grid) + 0.5 - grid / 2) < BEARD_REACH * grid
    if (!inMiddle) continue
    all++
    if (common[cell] < -OWN) dark++
  }
  const share = smoothstep(BEARDED, dark / all)
  const coarse = shrinkWeighted(common, weights, grid, 1, BEARD_LEVELS)
  const even = coarse.values.map((value, i) => value / Math.max(coarse.weights[i], 1e-6))
  const shade = enlarge(even, coarse.size, 1, BEARD_LEVELS)
  for (let cell = 0; cell < shade.length; cell++)
    shade[cell] *= share * smoothstep([beard, beard + BEARD_RISE], Math.floor(cell / grid) / grid)
  return shade
}
