import { defineKernel, float32 } from '@facekit/kernels'
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
  type Tensor,
} from '@tensorflow/tfjs-core'

const gradientKernel = defineKernel({
  name: 'FacekitResidualNormGradient',
  inputs: { residual: 'float32', smooth: 'float32', upstream: 'float32' },
  outputs: ({ residual }) => ({ x: float32(residual) }),
  operations({ residual, smooth, upstream }) {
    const channels = residual.shape[residual.rank - 1]
    // A product with ones repeats each number: half the time of a multiplication that broadcasts the last axis.
    const factors = matMul(reshape(div(upstream, smooth), [-1, 1]), ones([1, channels]))
    return mul(residual, reshape(factors, residual.shape))
  },
})

const kernel = defineKernel({
  name: 'FacekitResidualNorm',
  inputs: { x: 'float32', target: 'float32' },
  outputs: ({ x }) => ({ norm: float32([...x.slice(0, -1), 1]) }),
  keeps: ({ x }) => ({ residual: float32(x), smooth: float32([...x.slice(0, -1), 1]) }),
  constants: ['target'],
  operations({ x, target }, { epsilon }: { epsilon: number }) {
    const residual = sub(x, target)
    const smooth = sqrt(add(sum(square(residual), -1, true), epsilon * epsilon))
    return { norm: sub(smooth, epsilon), residual, smooth }
  },
  gradient: ({ upstream, saved }) => ({ x: () => gradientKernel({ ...saved, upstream: upstream.norm }) }),
})

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
  return kernel({ x, target }, { epsilon })
}
