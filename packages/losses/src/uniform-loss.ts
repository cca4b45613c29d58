import { add, div, mean, square, sub, sum, tidy, type Scalar, type Tensor3D } from '@tensorflow/tfjs-core'
import { assertShape } from '@facekit/core'

/** How uneven the lit diffuse albedo is, and how coloured its light: leaves what varies to the specular part.
 *
 * L_uniform = 1 / |T| sum_i |t_i - t_mean|^2 + sum_b sum_c (lambda_bc - mean_c lambda_b)^2      (MM '22 paper, Eq. 13)
 *
 * The paper prints the deviations without a square, with which both sums are always 0. t_mean is the mean colour of a
 * picture's vertices, the square is summed over its three channels; the mean of a harmonic's coefficients is over its
 * three channels, so that white light costs nothing.
 *
 * @param litDiffuse - `[B, N, 3]` t, diffuse albedo times irradiance of each vertex, linear RGB
 * @param sphericalHarmonics - `[B, 9, 3]` lambda, linear RGB
 * @returns scalar, mean over the pictures
 *
 * Differentiable: both. Memory: the caller owns the result.
 * @throws {ShapeError} when a shape is wrong
 * @example
 * // Two vertices, [1, 0, 0] and [0, 0, 0], white light: mean [0.5, 0, 0], (0.25 + 0.25) / 2 = 0.25
 */
export function uniformLoss(litDiffuse: Tensor3D, sphericalHarmonics: Tensor3D): Scalar {
  const known = assertShape('uniformLoss: litDiffuse', litDiffuse, ['B', 'N', 3])
  assertShape('uniformLoss: sphericalHarmonics', sphericalHarmonics, ['B', 9, 3], known)
  const { B, N } = known
  return tidy(() => {
    const colorDeviation = sub(litDiffuse, mean(litDiffuse, 1, true))
    const lightDeviation = sub(sphericalHarmonics, mean(sphericalHarmonics, 2, true))
    const color = div(sum(square(colorDeviation)), Math.max(1, N))
    return div(add(color, sum(square(lightDeviation))), B) as Scalar
  })
}
