import { type HostKernel, hasHostMemory, runHostKernel } from '@facekit/kernels'
import {
  cast,
  clipByValue,
  customGrad,
  div,
  greater,
  greaterEqual,
  less,
  lessEqual,
  logicalAnd,
  maximum,
  mul,
  pow,
  tidy,
  where,
  type Rank,
  type Tensor,
} from '@tensorflow/tfjs-core'
import { GAMMA_EXPONENT, TOE, TOE_SLOPE, encodeNumber, encodedSlope } from './gamma-curve.js'

const kernel: HostKernel = {
  name: 'FacekitEncodeGamma',
  inputs: ['linear'],
  outputs: ([shape]) => [{ shape, dtype: 'float32' }],
  compute([linear], [encoded]) {
    for (let i = 0; i < linear.length; i++) encoded[i] = encodeNumber(linear[i])
  },
}

const gradientKernel: HostKernel = {
  name: 'FacekitEncodeGammaGradient',
  inputs: ['gradient', 'linear', 'encoded'],
  outputs: ([shape]) => [{ shape, dtype: 'float32' }],
  compute([gradient, linear, encoded], [result]) {
    for (let i = 0; i < linear.length; i++) result[i] = gradient[i] * encodedSlope(linear[i], encoded[i])
  },
}

/** Encodes linear colour for a picture: clamped to 0..1, then the paper's gamma 1/2.2.
 *
 * encoded = min(max(linear, 0), 1)^(1 / 2.2);   a straight line below 2^-14, where encoded is 0.0122 (less than 1 of 255 off)
 *
 * @param linear - any shape
 * @returns the same shape, 0..1
 * @differentiable linear, with slope 199 from 0 to 2^-14, and 0 outside of 0..1
 * @memory the caller owns the result
 * @example
 * encodeGamma(tf.scalar(0.5)) // 0.7297
 */
export function encodeGamma<R extends Rank>(linear: Tensor<R>): Tensor<R> {
  const encode = customGrad((...args) => {
    const input = args[0] as Tensor
    const save = args[1] as unknown as (tensors: Tensor[]) => void
    const value = hasHostMemory() ? runHostKernel(kernel, { linear: input }, {})[0] : encodeOps(input)
    save([input, value])
    return {
      value,
      gradFunc: (gradient: Tensor, [linear, encoded]: Tensor[]) =>
        hasHostMemory()
          ? runHostKernel(gradientKernel, { gradient, linear, encoded }, {})[0]
          : gradientOps(gradient, linear, encoded),
    }
  })
  return encode(linear) as Tensor<R>
}

function encodeOps(input: Tensor): Tensor {
  return tidy(() => {
    const x = clipByValue(input, 0, 1)
    return where(less(x, TOE), mul(x, TOE_SLOPE), pow(maximum(x, TOE), GAMMA_EXPONENT))
  })
}

function gradientOps(gradient: Tensor, input: Tensor, encoded: Tensor): Tensor {
  return tidy(() => {
    const inside = logicalAnd(greaterEqual(input, 0), lessEqual(input, 1))
    const power = mul(GAMMA_EXPONENT, div(encoded, maximum(input, TOE)))
    const slope = where(greater(input, TOE), power, TOE_SLOPE)
    return mul(gradient, mul(cast(inside, 'float32'), slope))
  })
}
