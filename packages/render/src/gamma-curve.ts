import { gammaCurve } from '@facekit/core'

export const { exponent: GAMMA_EXPONENT, toe: TOE, toeSlope: TOE_SLOPE } = gammaCurve

const MANTISSA_BITS = 8
const SHIFT = 23 - MANTISSA_BITS
const REST = (1 << SHIFT) - 1
const CELL = 2 ** -SHIFT
const TOE_EXPONENT = Math.log2(TOE) + 127
const FIRST_CELL = TOE_EXPONENT << MANTISSA_BITS

/** Powers at 2^e (1 + m / 256) from the toe to 1; in half of the room of float64, so that it stays in the fastest cache. */
const curve = Float32Array.from({ length: ((127 - TOE_EXPONENT) << MANTISSA_BITS) + 1 }, (_, i) => {
  const steps = 1 << MANTISSA_BITS
  return (2 ** (Math.floor(i / steps) + TOE_EXPONENT - 127) * (1 + (i % steps) / steps)) ** GAMMA_EXPONENT
})

const asFloat = new Float32Array(1)
const asBits = new Int32Array(asFloat.buffer)

/** Encodes one linear number: clamped to 0..1, then the power 1/2.2.
 *
 * The power is read from a table over the exponent and the first 8 bits of the mantissa of the float, with a straight line
 * in between: off by less than 5e-7 of the value, and several times as fast as Math.pow.
 */
export function encodeNumber(linear: number): number {
  asFloat[0] = linear
  return encodeFloat(asFloat[0], asBits[0])
}

/** Encodes one linear number of which the bits as a float are at hand, too. */
export function encodeFloat(linear: number, bits: number): number {
  if (!(linear > 0)) return linear <= 0 ? 0 : linear
  if (linear >= 1) return 1
  if (linear < TOE) return linear * TOE_SLOPE
  const cell = (bits >> SHIFT) - FIRST_CELL
  const start = curve[cell]
  return start + (bits & REST) * CELL * (curve[cell + 1] - start)
}

/** Slope of the curve at a linear number; 0 outside of 0..1. */
export function encodedSlope(linear: number, encoded: number): number {
  if (linear < 0 || linear > 1) return 0
  return linear < TOE ? TOE_SLOPE : (GAMMA_EXPONENT * encoded) / linear
}
