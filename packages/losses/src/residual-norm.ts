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
 *
 * Differentiable: x; its gradient is 0 where x = y. Memory: the caller owns the result.
 */
export function residualNorm(x: Tensor, target: Tensor, epsilon: number): Tensor {
  return customGradient(
    x,
    (x) =>
      tidy(() => {
        const residual = sub(x, target)
        const channels = residual.shape[residual.rank - 1]
        // A product with ones: faster than a sum over a short last axis.
        const squares = matMul(reshape(square(residual), [-1, channels]), ones([channels, 1]))
        const smooth = reshape(sqrt(add(squares, epsilon * epsilon)), [...residual.shape.slice(0, -1), 1])
        return { value: sub(smooth, epsilon), saved: [residual, smooth] }
      }),
    (dy, [residual, smooth]) => tidy(() => mul(residual, div(dy, smooth))),
  )
}
