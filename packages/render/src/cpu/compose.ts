import { GAMMA_EXPONENT, TOE, TOE_SLOPE, encodeFloat, encodeNumber } from '../gamma-curve.js'
import { SURFACE_CHANNELS } from '../surface-layout.js'

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

const NOTHING = new Float32Array(0)

/** Gradient of `composeForward` with respect to the surface.
 *
 * @param upstream - those that are missing are 0
 */
export function composeBackward(
  surface: Numbers,
  background: Numbers,
  outputs: Pick<PictureArrays, 'image' | 'diffuse' | 'specular'>,
  upstream: Partial<PictureArrays>,
  result: Numbers,
): void {
  const step = background.length === 3 ? 0 : 3
  const {
    image = NOTHING,
    diffuse = NOTHING,
    specular = NOTHING,
    mask = NOTHING,
    innerMouth = NOTHING,
  } = upstream
  result.fill(0)
  for (let i = 0, s = 6; i < mask.length; i++, s += SURFACE_CHANNELS) result[s] = mask[i]
  for (let i = 0, s = 7; i < innerMouth.length; i++, s += SURFACE_CHANNELS) result[s] = innerMouth[i]
  // One loop for each picture that matters: each is short enough to be compiled well, and most of most pictures is 0.
  for (let p = 0, s = 0; p < image.length; p += 3, s += SURFACE_CHANNELS) {
    const r = image[p]
    const g = image[p + 1]
    const b = image[p + 2]
    if (r === 0 && g === 0 && b === 0) continue
    const behind = 1 - surface[s + 6]
    const k = step === 0 ? 0 : p
    const linearR = surface[s] + surface[s + 3] + behind * background[k]
    const linearG = surface[s + 1] + surface[s + 4] + behind * background[k + 1]
    const linearB = surface[s + 2] + surface[s + 5] + behind * background[k + 2]
    const toR = r * slope(linearR, outputs.image[p])
    const toG = g * slope(linearG, outputs.image[p + 1])
    const toB = b * slope(linearB, outputs.image[p + 2])
    result[s] = result[s + 3] = toR
    result[s + 1] = result[s + 4] = toG
    result[s + 2] = result[s + 5] = toB
    result[s + 6] -= toR * background[k] + toG * background[k + 1] + toB * background[k + 2]
  }
  addSlopes(surface, 0, outputs.diffuse, diffuse, result)
  addSlopes(surface, 3, outputs.specular, specular, result)
}

/** Adds the gradient of one kind of light, whose channels start at `first`. */
function addSlopes(
  surface: Numbers,
  first: number,
  encoded: Numbers,
  upstream: Numbers,
  result: Numbers,
): void {
  for (let p = 0, s = first; p < upstream.length; p += 3, s += SURFACE_CHANNELS) {
    const r = upstream[p]
    const g = upstream[p + 1]
    const b = upstream[p + 2]
    if (r === 0 && g === 0 && b === 0) continue
    result[s] += r * slope(surface[s], encoded[p])
    result[s + 1] += g * slope(surface[s + 1], encoded[p + 1])
    result[s + 2] += b * slope(surface[s + 2], encoded[p + 2])
  }
}
