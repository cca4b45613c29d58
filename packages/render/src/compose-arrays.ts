import { GAMMA_EXPONENT, TOE, TOE_SLOPE, encodeFloat, encodeNumber } from './gamma-curve.js'

/** Channels of a surface: diffuse light, specular light, share of the face, share of the inner mouth. */
export const SURFACE_CHANNELS = 8

type Numbers = Float32Array | Int32Array

/** Pictures out of a surface's channels; all of one length in pixels. */
export interface PictureArrays {
  image: Numbers
  diffuse: Numbers
  specular: Numbers
  mask: Numbers
  innerMouth: Numbers
}

const bitsOf = (floats: Numbers) => new Int32Array(floats.buffer, floats.byteOffset, floats.length)

/** Splits, adds, composes over the linear background, and encodes, in one pass.
 *
 * @param background - 3 numbers, or 3 for each pixel
 */
export function composeForward(surface: Numbers, background: Numbers, pictures: PictureArrays): void {
  const { image, diffuse, specular, mask, innerMouth } = pictures
  const step = background.length === 3 ? 0 : 3
  const [surfaceBits, imageBits] = [bitsOf(surface), bitsOf(image)]
  const plain = Array.from(background.subarray(0, 3), encodeNumber)
  for (let i = 0, s = 0, p = 0; i < mask.length; i++, s += SURFACE_CHANNELS, p += 3) {
    const face = surface[s + 6]
    mask[i] = face
    innerMouth[i] = surface[s + 7]
    const bits = surfaceBits[s] | surfaceBits[s + 1] | surfaceBits[s + 2]
    const empty = (bits | surfaceBits[s + 3] | surfaceBits[s + 4] | surfaceBits[s + 5]) === 0
    if (empty && face === 0 && step === 0) {
      for (let c = 0; c < 3; c++) {
        image[p + c] = plain[c]
        diffuse[p + c] = 0
        specular[p + c] = 0
      }
      continue
    }
    for (let c = 0; c < 3; c++) {
      const d = surface[s + c]
      const g = surface[s + 3 + c]
      diffuse[p + c] = encodeFloat(d, surfaceBits[s + c])
      specular[p + c] = encodeFloat(g, surfaceBits[s + 3 + c])
      // Into memory and out again: the curve wants the bits of a float.
      image[p + c] = d + g + (1 - face) * background[i * step + c]
      image[p + c] = encodeFloat(image[p + c], imageBits[p + c])
    }
  }
}

/** Slope of the curve at a linear number; 0 outside of 0..1. */
const slope = (linear: number, encoded: number) =>
  linear < TOE ? (linear < 0 ? 0 : TOE_SLOPE) : linear > 1 ? 0 : (GAMMA_EXPONENT * encoded) / linear

/** Gradient of `composeForward` with respect to the surface.
 *
 * @param upstream - those that are missing or empty are 0
 */
export function composeBackward(
  surface: Numbers,
  background: Numbers,
  outputs: Pick<PictureArrays, 'image' | 'diffuse' | 'specular'>,
  upstream: PictureArrays,
  result: Numbers,
): void {
  const step = background.length === 3 ? 0 : 3
  const { image, diffuse, specular, mask, innerMouth } = upstream
  const [hasImage, hasDiffuse, hasSpecular] = [image, diffuse, specular].map(({ length }) => length > 0)
  const [hasMask, hasMouth] = [mask, innerMouth].map(({ length }) => length > 0)
  const count = surface.length / SURFACE_CHANNELS
  for (let i = 0, s = 0, p = 0; i < count; i++, s += SURFACE_CHANNELS, p += 3) {
    const face = surface[s + 6]
    let toMask = hasMask ? mask[i] : 0
    for (let c = 0; c < 3; c++) {
      const d = surface[s + c]
      const g = surface[s + 3 + c]
      let toDiffuse = 0
      let toSpecular = 0
      if (hasImage) {
        const behind = background[i * step + c]
        const toLinear = image[p + c] * slope(d + g + (1 - face) * behind, outputs.image[p + c])
        toDiffuse = toSpecular = toLinear
        toMask -= toLinear * behind
      }
      if (hasDiffuse) toDiffuse += diffuse[p + c] * slope(d, outputs.diffuse[p + c])
      if (hasSpecular) toSpecular += specular[p + c] * slope(g, outputs.specular[p + c])
      result[s + c] = toDiffuse
      result[s + 3 + c] = toSpecular
    }
    result[s + 6] = toMask
    result[s + 7] = hasMouth ? innerMouth[i] : 0
  }
}
