import {
  add,
  div,
  matMul,
  mul,
  ones,
  reshape,
  sqrt,
  square,
  sub,
  sum,
  tidy,
  type Tensor,
} from '@tensorflow/tfjs-core'
import { customGradient } from './custom-gradient.js'

/** Length of the difference of two vectors, smoothed at zero, where a length has no gradient.
 *
 * |x - y| = sqrt(sum_c (x_c - y_c)^2 + epsilon^2) - epsilon
 *
 * @param x - `[..., C]`
 * @param target - `[..., C]`, y
 * @param epsilon - in the unit of the vectors; the result is too small by at most this
 * @returns `[..., 1]`, exactly 0 where x = y
 * @differentiable x; its gradient is 0 where x = y
 * @memory the caller owns the result
 */
export function residualNorm(x: Tensor, target: Tensor, epsilon: number): Tensor {
  return customGradient(
    x,
    (x) =>
      tidy(() => {
        const residual = sub(x, target)
        const smooth = sqrt(add(sum(square(residual), -1, true), epsilon * epsilon))
        return { value: sub(smooth, epsilon), saved: [residual, smooth] }
      }),
    (dy, [residual, smooth]) =>
      tidy(() => {
        const channels = residual.shape[residual.rank - 1]
        // A product with ones repeats each number: half the time of a multiplication that broadcasts the last axis.
        const factors = matMul(reshape(div(dy, smooth), [-1, 1]), ones([1, channels]))
        return mul(residual, reshape(factors, residual.shape))
      }),
  )
}
