import type { PartialTexture } from './fill-hidden.js'
import { luminance } from './luminance.js'

/** What is this far from the hue of the white towards that of skin begins to be skin, and is it wholly. */
const SKIN = [0.55, 0.9] as const
/** Share of the skin's luminance below which it is iris or lashes, of any hue. */
const DARK = 0.5
/** How far hues of the white may differ from the model's: blood, age, and what the light leaves; log. */
const TINT = 0.14

/** Keeps the white of the eyes white: what has the hue of skin there are lids, where those of the fit lie otherwise than those of the photograph, and is left to be
 * filled; other bright hues are drawn to near the model's white, d / sqrt(1 + (d / l)^2), and keep their luminance. Dark texels, as iris and lashes, stay. In place.
 *
 * @param eyes - `[S * S]` 1 on the eyeballs
 * @param albedo - `[S * S * 3]` fitted albedo
 */
export function clearSclera(
  { color, weight }: PartialTexture,
  eyes: Float32Array,
  albedo: Float32Array,
): void {
  const [white, skin] = [meanHue(albedo, eyes, true), meanHue(albedo, eyes, false)]
  const [du, dv] = [skin.u - white.u, skin.v - white.v]
  const apart = du * du + dv * dv
  if (!(apart > 1e-3)) return
  for (let texel = 0; texel < eyes.length; texel++) {
    if (eyes[texel] < 0.999 || weight[texel] === 0) continue
    const at = 3 * texel
    const bright = luminance(color, at)
    if (!(bright > DARK * skin.level)) continue
    const [red, green, blue] = [0, 1, 2].map((c) => Math.log(Math.max(color[at + c], 1e-4)))
    const [u, v] = [red - green - white.u, blue - green - white.v]
    const along = (u * du + v * dv) / apart
    const t = Math.min(Math.max((along - SKIN[0]) / (SKIN[1] - SKIN[0]), 0), 1)
    weight[texel] *= 1 - t * t * (3 - 2 * t)
    const share = 1 / Math.sqrt(1 + (u * u + v * v) / TINT ** 2)
    color[at] = Math.exp(white.u + share * u)
    color[at + 1] = 1
    color[at + 2] = Math.exp(white.v + share * v)
    const scale = bright / luminance(color, at)
    for (let c = 0; c < 3; c++) color[at + c] = Math.min(color[at + c] * scale, 1)
  }
}

/** Mean hue and luminance of the model's white, the brighter part of its eyeballs, or of all else. */
function meanHue(albedo: Float32Array, eyes: Float32Array, inEyes: boolean) {
  const sum = [0, 0, 0]
  let count = 1e-9
  const pick = (least: number) => {
    sum.fill(0)
    count = 1e-9
    for (let texel = 0; texel < eyes.length; texel++) {
      const level = luminance(albedo, 3 * texel)
      if (level <= least || (inEyes ? eyes[texel] < 0.999 : eyes[texel] > 0)) continue
      count++
      for (let c = 0; c < 3; c++) sum[c] += albedo[3 * texel + c]
    }
  }
  pick(0)
  if (inEyes) pick((0.2126 * sum[0] + 0.7152 * sum[1] + 0.0722 * sum[2]) / count)
  const [red, green, blue] = sum.map((value) => Math.max(value / count, 1e-4))
  return {
    u: Math.log(red / green),
    v: Math.log(blue / green),
    level: 0.2126 * red + 0.7152 * green + 0.0722 * blue,
  }
}
