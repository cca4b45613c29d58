import type { HostArray } from '@facekit/kernels'
import { HARMONIC_FACTORS } from '../harmonic-factors.js'

/** Coefficients of one picture times the factors, 9 for each channel; those of missing bands are 0. */
const polynomial = new Float64Array(27)
const sums = new Float64Array(27)

function loadPolynomial(coefficients: HostArray, item: number, count: number): void {
  polynomial.fill(0)
  for (let b = 0; b < count; b++) {
    for (let c = 0; c < 3; c++)
      polynomial[9 * c + b] = coefficients[(item * count + b) * 3 + c] * HARMONIC_FACTORS[b]
  }
}

/** Fills `output` with albedo times light; `count` is the number of coefficients of each of `batch` pictures.
 *
 * @param stride - distance of the points' colours in `output`; what lies between them is left as it is
 */
export function diffuseForward(
  [albedo, normals, coefficients]: readonly HostArray[],
  batch: number,
  count: number,
  output: HostArray,
  stride = 3,
): void {
  const size = albedo.length / batch
  const k = polynomial
  for (let item = 0; item < batch; item++) {
    loadPolynomial(coefficients, item, count)
    for (let i = item * size, to = (i / 3) * stride; i < (item + 1) * size; i += 3, to += stride) {
      const x = normals[i]
      const y = normals[i + 1]
      const z = normals[i + 2]
      const xy = x * y
      const yz = y * z
      const zz = 3 * z * z - 1
      const xz = x * z
      const xx = x * x - y * y
      for (let c = 0, o = 0; c < 3; c++, o += 9) {
        const light =
          k[o] +
          k[o + 1] * y +
          k[o + 2] * z +
          k[o + 3] * x +
          k[o + 4] * xy +
          k[o + 5] * yz +
          k[o + 6] * zz +
          k[o + 7] * xz +
          k[o + 8] * xx
        output[to + c] = albedo[i + c] * light
      }
    }
  }
}

/** Fills the gradients of albedo, normals and coefficients in one pass.
 *
 * @param stride - distance of the points' colours in the upstream gradient
 */
export function diffuseBackward(
  [albedo, normals, coefficients, upstream]: readonly HostArray[],
  batch: number,
  count: number,
  [toAlbedo, toNormals, toCoefficients]: readonly HostArray[],
  stride = 3,
): void {
  const size = albedo.length / batch
  const k = polynomial
  for (let item = 0; item < batch; item++) {
    loadPolynomial(coefficients, item, count)
    sums.fill(0)
    for (let i = item * size, from = (i / 3) * stride; i < (item + 1) * size; i += 3, from += stride) {
      const x = normals[i]
      const y = normals[i + 1]
      const z = normals[i + 2]
      const xy = x * y
      const yz = y * z
      const zz = 3 * z * z - 1
      const xz = x * z
      const xx = x * x - y * y
      let dx = 0
      let dy = 0
      let dz = 0
      for (let c = 0, o = 0; c < 3; c++, o += 9) {
        const g = upstream[from + c]
        if (g === 0) {
          toAlbedo[i + c] = 0
          continue
        }
        const light =
          k[o] +
          k[o + 1] * y +
          k[o + 2] * z +
          k[o + 3] * x +
          k[o + 4] * xy +
          k[o + 5] * yz +
          k[o + 6] * zz +
          k[o + 7] * xz +
          k[o + 8] * xx
        toAlbedo[i + c] = g * light
        const h = g * albedo[i + c]
        sums[o] += h
        sums[o + 1] += h * y
        sums[o + 2] += h * z
        sums[o + 3] += h * x
        sums[o + 4] += h * xy
        sums[o + 5] += h * yz
        sums[o + 6] += h * zz
        sums[o + 7] += h * xz
        sums[o + 8] += h * xx
        dx += h * (k[o + 3] + k[o + 4] * y + k[o + 7] * z + 2 * k[o + 8] * x)
        dy += h * (k[o + 1] + k[o + 4] * x + k[o + 5] * z - 2 * k[o + 8] * y)
        dz += h * (k[o + 2] + k[o + 5] * y + 6 * k[o + 6] * z + k[o + 7] * x)
      }
      toNormals[i] = dx
      toNormals[i + 1] = dy
      toNormals[i + 2] = dz
    }
    for (let b = 0; b < count; b++) {
      for (let c = 0; c < 3; c++)
        toCoefficients[(item * count + b) * 3 + c] = sums[9 * c + b] * HARMONIC_FACTORS[b]
    }
  }
}
