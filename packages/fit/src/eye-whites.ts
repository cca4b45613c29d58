import type { MorphableModel } from '@facekit/morphable'
import type { Highlight } from './find-highlight.js'
import { luminanceWeights, type Color, type WhiteEvidence } from './tone-prior.js'

/** The white of the eyes in a picture. */
export interface EyeWhites {
  /** Mean colour, linear RGB. */
  color: Color
  /** `[9]` mean spherical harmonics of the eyeballs' normals there. */
  harmonics: Float64Array
  /** `[P * 9]` those of each pixel. */
  pixels: Float64Array
  /** Highlight of the lamp that may lie on them, linear. */
  gloss: number
  /** 0..1 how surely it is the white: how much less red than the skin it is, and how many pixels show it. */
  trust: number
}

/** Pixels of the eyeballs whose luminance is between these quantiles: below are iris, lashes and what a pixel shares with them, above are glints. On
 * rendered heads the white that these show varies by 3 % from picture to picture, that between the quantiles 0.65 and 0.9 by 7 %. */
const QUANTILES = [0.82, 0.94] as const
/** As many pixels make it sure, half as many are not enough. */
const ENOUGH = 80
/** How much lower the logarithm of red over green is in the white than in the skin, for no trust and for full trust. */
const WHITER = [0.25, 0.6] as const

/** Pixels of a crop that show nothing but an eyeball, as its fitted mesh has it.
 *
 * @param ids - `[S * S]` triangles
 */
export function eyePixels(model: MorphableModel, ids: ArrayLike<number>, size: number): number[] {
  const { eyeLeft, eyeRight } = model.regions ?? {}
  if (!eyeLeft?.length || !eyeRight?.length) return []
  const eyes = new Uint8Array(model.vertexCount)
  for (const vertex of [...eyeLeft, ...eyeRight]) eyes[vertex] = 1
  const { triangles } = model
  const shows = (pixel: number) => {
    const id = ids[pixel]
    return (
      id >= 0 &&
      3 * id < triangles.length &&
      eyes[triangles[3 * id]] + eyes[triangles[3 * id + 1]] + eyes[triangles[3 * id + 2]] === 3
    )
  }
  const pixels: number[] = []
  for (let y = 1; y < size - 1; y++)
    for (let x = 1; x < size - 1; x++) {
      const pixel = y * size + x
      // The border is the lids', too.
      if ([0, 1, -1, size, -size].every((offset) => shows(pixel + offset))) pixels.push(pixel)
    }
  return pixels
}

/** Finds the white among the pixels of the eyeballs.
 *
 * @param colors - `[P * 3]` linear RGB of those pixels
 * @param harmonics - `[P * 9]` of their normals
 * @param skin - mean colour of the skin in the picture
 * @returns undefined where it is not seen
 */
export function eyeWhites(
  colors: ArrayLike<number>,
  harmonics: ArrayLike<number>,
  skin: Color,
): EyeWhites | undefined {
  const count = colors.length / 3
  const [a, b, c] = luminanceWeights
  const luminance = Float64Array.from(
    { length: count },
    (_, p) => a * colors[3 * p] + b * colors[3 * p + 1] + c * colors[3 * p + 2],
  )
  const order = [...luminance.keys()].sort((p, q) => luminance[p] - luminance[q])
  const chosen = order.slice(Math.floor(QUANTILES[0] * count), Math.floor(QUANTILES[1] * count))
  if (chosen.length === 0) return undefined
  const mean = (values: ArrayLike<number>, width: number) =>
    Float64Array.from(
      { length: width },
      (_, k) => chosen.reduce((sum, p) => sum + values[width * p + k], 0) / chosen.length,
    )
  const color = [...mean(colors, 3)].map((value) => Math.max(value, 1e-4)) as Color
  const share = (value: number, [low, high]: readonly [number, number]) =>
    Math.min(Math.max((value - low) / (high - low), 0), 1)
  const whiter = Math.log(skin[0] / skin[1]) - Math.log(color[0] / color[1])
  const trust = share(whiter, WHITER) * share(count, [ENOUGH / 2, ENOUGH])
  if (!(trust > 0)) return undefined
  const pixels = Float64Array.from(
    chosen.flatMap((p) => Array.from({ length: 9 }, (_, k) => harmonics[9 * p + k])),
  )
  return { color, harmonics: mean(harmonics, 9), pixels, gloss: 0, trust }
}

/** Specular albedo of a wet eyeball. */
const WET = 0.04
/** Factor of a coordinate of the normal in its harmonic. */
const FIRST_BAND = 0.488603

/** The same whites with what a lamp's highlight may add to them; the camera is straight ahead. */
export function underLamp(whites: EyeWhites, lamp: Highlight | undefined): EyeWhites {
  if (!lamp) return whites
  const [x, y, z] = lamp.direction
  const length = Math.hypot(x, y, z + 1) || 1
  const half = [y / length, (z + 1) / length, x / length]
  const count = whites.pixels.length / 9
  let lobe = 0
  for (let p = 0; p < count; p++) {
    const cosine = half.reduce(
      (sum, value, k) => sum + (value * whites.pixels[9 * p + 1 + k]) / FIRST_BAND,
      0,
    )
    lobe += Math.max(cosine, 0) ** lamp.shininess / count
  }
  return { ...whites, gloss: WET * lamp.strength * lobe }
}

/** What the whites say of a light.
 *
 * @param light - `[9 * 3]` linear RGB
 */
export function whitesUnder(
  { color, harmonics, gloss, trust }: EyeWhites,
  light: ArrayLike<number>,
): WhiteEvidence {
  const irradiance = [0, 1, 2].map((c) => {
    let sum = 0
    for (let k = 0; k < 9; k++) sum += harmonics[k] * light[3 * k + c]
    return Math.max(sum, 0.02)
  })
  return { seen: color, light: irradiance as Color, gloss, trust }
}
