import { HARMONIC_FACTORS } from './harmonic-factors.js'

/** The nine real spherical harmonics at one direction, for code that works on plain numbers; `sphericalHarmonicsBasis` is for tensors.
 *
 * @param x - of a vector of unit length
 * @param y - as `x`
 * @param z - as `x`
 * @returns 9 numbers, in the order of `sphericalHarmonicsBasis`
 * @example
 * sphericalHarmonicsAt(0, 0, 1) // 0.282 0 0.489 0 0 0 0.631 0 0
 */
export function sphericalHarmonicsAt(x: number, y: number, z: number): number[] {
  const polynomials = [1, y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y]
  return polynomials.map((value, k) => HARMONIC_FACTORS[k] * value)
}
