import type { PhotographTexture } from './photograph-texture.js'
import { enlarge, shrinkWeighted } from './pyramid.js'

/** What is wider than this share of the map is light that the fit has not found, and not the skin's. */
const WIDEST = 1 / 8

/** Takes specular albedo away where photographs show that there is less of a highlight than the model says, as over eyes, lashes and brows: it would lie
 * over them as a veil. In place.
 *
 * On the eyeballs that is taken at its word. On skin only what is less than around counts: whole cheeks without their highlight show that the lamp is elsewhere, or
 * brighter or of another colour than the fit has it, and would leave black blotches on a map that is the skin's own.
 *
 * @param specular - `[S * S * 3]`
 * @param eyes - `[S * S]` 1 on the eyeballs
 * @returns `[S * S]` share that is kept, 0..1
 */
export function dampHighlights(
  specular: Float32Array,
  textures: readonly PhotographTexture[],
  { eyes, size }: { eyes: Float32Array; size: number },
): Float32Array {
  const count = size * size
  const share = new Float32Array(count)
  const trust = new Float32Array(count)
  for (const { shine, weight } of textures)
    for (let texel = 0; texel < count; texel++) {
      share[texel] += weight[texel] * shine[texel]
      trust[texel] += weight[texel]
    }
  for (let texel = 0; texel < count; texel++) share[texel] /= Math.max(trust[texel], 1e-6)
  const levels = Math.max(0, Math.round(Math.log2(size * WIDEST)))
  const skin = new Float32Array(count)
  for (let texel = 0; texel < count; texel++) skin[texel] = eyes[texel] > 0 ? 0 : Math.min(trust[texel], 1)
  const wide = shrinkWeighted(share, skin, size, 1, levels)
  for (let i = 0; i < wide.values.length; i++)
    wide.values[i] = wide.weights[i] > 1e-3 ? wide.values[i] / wide.weights[i] : 1
  const around = enlarge(wide.values, wide.size, 1, levels)
  const kept = new Float32Array(count).fill(1)
  for (let texel = 0; texel < count; texel++) {
    if (trust[texel] === 0) continue
    const own = share[texel]
    const factor = eyes[texel] > 0 ? own : Math.min(own / Math.max(around[texel], own, 1e-3), 1)
    kept[texel] = factor
    for (let c = 0; c < 3; c++) specular[3 * texel + c] *= factor
  }
  return kept
}
