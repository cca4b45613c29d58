import { encodeNumber, encodedSlope } from './gamma-curve.js'

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

/** Splits, adds, composes over the linear background, and encodes, in one pass. */
export function composeForward(surface: Numbers, background: Numbers, pictures: PictureArrays): void {
  const { image, diffuse, specular, mask, innerMouth } = pictures
  const step = background.length === 3 ? 0 : 3
  for (let i = 0, s = 0, p = 0; i < mask.length; i++, s += SURFACE_CHANNELS, p += 3) {
    const face = surface[s + 6]
    mask[i] = face
    innerMouth[i] = surface[s + 7]
    for (let c = 0; c < 3; c++) {
      const d = surface[s + c]
      const g = surface[s + 3 + c]
      // Most pixels of most pictures are black in one or the other.
      diffuse[p + c] = d === 0 ? 0 : encodeNumber(d)
      specular[p + c] = g === 0 ? 0 : encodeNumber(g)
      image[p + c] = encodeNumber(d + g + (1 - face) * background[i * step + c])
    }
  }
}

/** Gradient of `composeForward` with respect to the surface. */
export function composeBackward(
  surface: Numbers,
  background: Numbers,
  outputs: Pick<PictureArrays, 'image' | 'diffuse' | 'specular'>,
  upstream: PictureArrays,
  result: Numbers,
): void {
  const step = background.length === 3 ? 0 : 3
  const count = upstream.mask.length
  for (let i = 0, s = 0, p = 0; i < count; i++, s += SURFACE_CHANNELS, p += 3) {
    const face = surface[s + 6]
    let toMask = upstream.mask[i]
    for (let c = 0; c < 3; c++) {
      const d = surface[s + c]
      const g = surface[s + 3 + c]
      const behind = background[i * step + c]
      const upstreamImage = upstream.image[p + c]
      const toLinear =
        upstreamImage === 0
          ? 0
          : upstreamImage * encodedSlope(d + g + (1 - face) * behind, outputs.image[p + c])
      const ud = upstream.diffuse[p + c]
      const ug = upstream.specular[p + c]
      result[s + c] = toLinear + (ud === 0 ? 0 : ud * encodedSlope(d, outputs.diffuse[p + c]))
      result[s + 3 + c] = toLinear + (ug === 0 ? 0 : ug * encodedSlope(g, outputs.specular[p + c]))
      toMask -= toLinear * behind
    }
    result[s + 6] = toMask
    result[s + 7] = upstream.innerMouth[i]
  }
}
