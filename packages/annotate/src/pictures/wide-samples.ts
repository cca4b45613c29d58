/** Samples of 32 or 64 bits as bytes of sRGB.
 *
 * Files do not say what their white is, so the numbers do. Whole ones: 255, 65,535, else the most that 31 or 32 bits hold. Real ones: 1 for
 * linear light, as TIFF and EXR have it, where some of it may be brighter; 255 or 65,535 where the numbers are whole, or far too bright on average
 * for linear light.
 */
export function encodeWideSamples(samples: Float32Array, kind: 'integer' | 'float'): Uint8Array {
  let [most, sum, whole] = [0, 0, true]
  for (const value of samples) {
    if (!(value > 0)) continue
    if (value > most) most = value
    sum += value
    whole &&= Number.isInteger(value)
  }
  const encoded = kind === 'integer' || (most > 1 && (whole || sum / samples.length > BRIGHTEST_MEAN))
  const white = encoded ? (WHITES.find((value) => most <= value) ?? most) : 1
  return Uint8Array.from(samples, (value) => {
    const share = Math.min(1, Math.max(0, value / white)) || 0
    return Math.round(255 * (encoded ? share : srgbFromLinear(share)))
  })
}

/** Highest mean that linear light may have, in units of white. */
const BRIGHTEST_MEAN = 2

/** float32 rounds the last two up. */
const WHITES = [255, 2 ** 16 - 1, 2 ** 31, 2 ** 32]

/** The curve of IEC 61966-2-1. */
export function srgbFromLinear(value: number): number {
  return value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055
}
