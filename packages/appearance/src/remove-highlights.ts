import type { PartialTexture } from './fill-hidden.js'
import { enlarge, shrinkWeighted } from './pyramid.js'

/** Highlights are finer than this share of the map. */
const WIDTH = 1 / 16
/** Skin whose red is nearer to its blue than this shows too little colour to tell a highlight by. */
const LEAST_CHROMA = 0.05

/** Takes away what is left of highlights: they add gray to the colour of the skin around.
 *
 * With the mean colour d of the surroundings (luminance 1) a texel is t = k d + s (1, 1, 1): k from red - blue, which gray does not change
 * (the dichromatic model: Shafer, Color Research and Application 10, 1985). Of s is taken away what makes the texel brighter than its
 * surroundings, no more.
 */
export function removeHighlights({ color, weight }: PartialTexture, size: number): void {
  const levels = Math.max(0, Math.round(Math.log2(size * WIDTH)) - 1)
  const small = shrinkWeighted(color, weight, size, 3, levels)
  for (let texel = 0; texel < small.weights.length; texel++) {
    const w = Math.max(small.weights[texel], 1e-6)
    for (let c = 0; c < 3; c++) small.values[3 * texel + c] /= w
  }
  const around = enlarge(small.values, small.size, 3, levels)
  for (let texel = 0; texel < weight.length; texel++) {
    if (weight[texel] === 0) continue
    const at = 3 * texel
    const bright = (around[at] + around[at + 1] + around[at + 2]) / 3
    const chroma = (around[at] - around[at + 2]) / Math.max(bright, 1e-6)
    if (bright < 1e-3 || chroma < LEAST_CHROMA) continue
    const own = (color[at] + color[at + 1] + color[at + 2]) / 3
    const matt = (color[at] - color[at + 2]) / chroma
    const excess = Math.min(own - matt, own - bright, 0.9 * Math.min(color[at], color[at + 1], color[at + 2]))
    if (!(excess > 0)) continue
    for (let c = 0; c < 3; c++) color[at + c] -= excess
  }
}
