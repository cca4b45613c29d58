/** Bits of the exponent: all are set in NaN and in infinite numbers only. */
const EXPONENT = 0x7f800000

/** Position of the first number that is NaN or infinite; -1 where all are finite. */
export function firstNotFinite(values: Float32Array): number {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length)
  for (let i = 0; i < bits.length; i++) if ((bits[i] & EXPONENT) === EXPONENT) return i
  return -1
}
