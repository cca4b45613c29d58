import { div, maximum, mean, mul, reshape, sum, tidy, type Scalar, type Tensor } from '@tensorflow/tfjs-core'

/** Smallest total weight of a picture that is divided by: a picture without weight counts as 0. */
export const SMALLEST_WEIGHT = 1e-6

/** Weighted mean of each picture's values, then the mean over the pictures: `mean_b(sum_i w_i x_i / sum_i w_i)`.
 *
 * @param values - `[B, ...]` of equal size; a picture whose weights are all 0 gives 0
 * @param weights - as `values`
 * @differentiable values
 * @memory the caller owns the result
 */
export function weightedMean(values: Tensor, weights: Tensor): Scalar {
  return tidy(() => {
    const batch = values.shape[0]
    const flat = reshape(weights, [batch, -1])
    const normalized = div(flat, maximum(sum(flat, 1, true), SMALLEST_WEIGHT))
    return mean(sum(mul(reshape(values, [batch, -1]), normalized), 1)) as Scalar
  })
}
