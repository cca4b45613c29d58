import { anyOf, dilated, gridLevels, oddColors, shareOf } from './odd-colors.js'
import { TEXEL, type PhotographTexture } from './photograph-texture.js'
import { enlarge } from './pyramid.js'

/** How far strands of hair and the like reach over the border of what is told to be before the face, of the map: about 8 mm. */
const REACH = 0.035

/** Takes trust from what hangs or juts over the border of what covers the face: strands of hair, the edge of a hand or a hat. There, what is of another colour than
 * the skin around is theirs, and is filled. Lips, brows and eyes stay. In place.
 *
 * @param features - `[S * S]` above 0 on lips, brows and eyes
 */
export function trimBorder(
  texture: PhotographTexture,
  { albedo, features, size }: { albedo: Float32Array; features: Float32Array; size: number },
): void {
  const levels = gridLevels(size)
  const grid = size >> levels
  const open = shareOf(TEXEL.open, texture.states, size)
  const covered = shareOf(TEXEL.covered, texture.states, size)
  const isFeature = anyOf(features, size)
  const before = Uint8Array.from(covered, (value, at) => (value > open[at] && isFeature[at] === 0 ? 1 : 0))
  if (!before.includes(1)) return
  const near = dilated(before, grid, Math.max(1, Math.round(REACH * grid)))
  const odd = oddColors(texture, albedo, before, size)
  for (let at = 0; at < odd.length; at++) if (!near[at] || isFeature[at] > 0) odd[at] = 0
  if (!odd.includes(1)) return
  const off = Float32Array.from(dilated(odd, grid, 1), (value, at) => (isFeature[at] > 0 ? 0 : value))
  const share = enlarge(off, grid, 1, levels)
  for (let texel = 0; texel < share.length; texel++) texture.weight[texel] *= 1 - share[texel]
}
