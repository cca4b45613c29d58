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

/** Takes the edges of shadows out that coarse corrections leave: in the light of a hard lamp, what differs in brightness from the model's albedo by more than skin does is the
 * lamp's. Brows, eyes and lips keep what is theirs. Below the tip of the nose, where beards are, only what is darker or brighter than the other side of the face is taken out. In place.
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
  const change = new Float32Array(grid * grid)
  for (let cell = 0; cell < off.length; cell++) {
    const row = (Math.floor(cell / grid) + 0.5) / grid
    const whole = off[cell]
    const other = cell - 2 * (cell % grid) + grid - 1
    const beside = symmetric && seen.weights[other] > 0 ? whole - off[other] : 0
    const aside = beside * whole > 0 ? Math.sign(whole) * Math.min(Math.abs(beside), Math.abs(whole)) : 0
    const d = between([aside, whole], 1 - smoothstep([beard - 0.02, beard + 0.02], row))
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
