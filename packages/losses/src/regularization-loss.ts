import { add, div, mul, square, sum, tidy, type Scalar, type Tensor } from '@tensorflow/tfjs-core'
import { assertInRange, assertShape } from '@facekit/core'

/** Coefficients of `regularizationLoss`; the `FaceParameters` of `@facekit/parameters` fit. */
export interface RegularizedCoefficients {
  /** `[B, Ki]` standard deviations. */
  identity: Tensor
  /** `[B, Ke]` standard deviations. */
  expression: Tensor
  /** `[B, Kt]` standard deviations. */
  albedo: Tensor
}

/** Relative weights of the three summands. The paper has 1 for each, which is the default. */
export interface RegularizationWeights {
  identity?: number
  expression?: number
  albedo?: number
}

/** How unlikely a face is under its model: the squared length of its coefficients.
 *
 * L_reg = |c_i|^2 + |c_t|^2 + |c_e|^2                                                  (MM '22 paper, Eq. 12)
 *
 * @param coefficients - in standard deviations
 * @returns scalar, sum over the coefficients, mean over the pictures
 * @differentiable all coefficients
 * @memory the caller owns the result
 * @throws {ShapeError} when batch sizes differ
 * @throws {ValueError} when a weight is negative or not a number
 * @example
 * // identity [1, 2], expression [3], albedo [0]: 1 + 4 + 9 = 14
 */
export function regularizationLoss(
  coefficients: RegularizedCoefficients,
  weights: RegularizationWeights = {},
): Scalar {
  const known = {}
  const names = ['identity', 'expression', 'albedo'] as const
  const factors = names.map((name) => {
    assertShape(`regularizationLoss: ${name}`, coefficients[name], ['B', name], known)
    const { [name]: factor = 1 } = weights
    assertInRange(`regularizationLoss: weights.${name}`, factor, 0)
    return factor
  })
  return tidy(() => {
    const batch = coefficients.identity.shape[0]
    const sums = names.map((name, i) => {
      const squares = sum(square(coefficients[name]))
      return factors[i] === 1 ? squares : mul(squares, factors[i])
    })
    return div(
      sums.reduce((total, term) => add(total, term)),
      batch,
    ) as Scalar
  })
}
