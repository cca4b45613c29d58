import { gammaCurve } from '@facekit/core'

const { exponent, toe, toeSlope, encodedToe } = gammaCurve

const decode = (encoded: number) => (encoded < encodedToe ? encoded / toeSlope : encoded ** (1 / exponent))
const encode = (linear: number) => (linear < toe ? linear * toeSlope : linear > 1 ? 1 : linear ** exponent)
const decodeSlope = (encoded: number) =>
  encoded < encodedToe ? 1 / toeSlope : encoded ** (1 / exponent - 1) / exponent
const encodeSlope = (linear: number) =>
  linear < toe ? toeSlope : linear > 1 ? 0 : exponent * linear ** (exponent - 1)

/** One number of a picture of which a share, `mask`, was rendered over black, in front of another picture; all but the share are encoded.
 * What is covered wholly, or not at all, stays as it is, to the last bit. */
function compositeNumber(rendered: number, behind: number, mask: number): number {
  if (mask === 1) return rendered
  if (mask === 0 && rendered === 0) return behind
  return encode(decode(rendered) + (1 - mask) * decode(behind))
}

/** Fills `composite`; the arrays of colours have 3 numbers for each of `mask`. */
export function compositeForward(
  rendered: Float32Array,
  behind: Float32Array,
  mask: Float32Array,
  composite: Float32Array,
): void {
  for (let pixel = 0, i = 0; pixel < mask.length; pixel++) {
    const share = mask[pixel]
    for (const end = i + 3; i < end; i++) composite[i] = compositeNumber(rendered[i], behind[i], share)
  }
}

/** Fills the gradients of what was rendered and of the mask. */
export function compositeBackward(
  rendered: Float32Array,
  behind: Float32Array,
  mask: Float32Array,
  upstream: Float32Array,
  toRendered: Float32Array,
  toMask: Float32Array,
): void {
  for (let pixel = 0, i = 0; pixel < mask.length; pixel++) {
    let sum = 0
    for (const end = i + 3; i < end; i++) {
      const light = decode(behind[i])
      const slope = upstream[i] * encodeSlope(decode(rendered[i]) + (1 - mask[pixel]) * light)
      toRendered[i] = mask[pixel] === 1 ? upstream[i] : slope * decodeSlope(rendered[i])
      sum -= slope * light
    }
    toMask[pixel] = sum
  }
}
