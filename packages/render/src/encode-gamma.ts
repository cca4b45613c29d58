import { defineKernel, float32 } from '@facekit/kernels'
import {
  cast,
  clipByValue,
  div,
  greater,
  greaterEqual,
  less,
  lessEqual,
  logicalAnd,
  maximum,
  mul,
  pow,
  where,
  type Rank,
  type Tensor,
} from '@tensorflow/tfjs-core'
import { GAMMA_EXPONENT, TOE, TOE_SLOPE, encodeNumber, encodedSlope } from './gamma-curve.js'

const gradientKernel = defineKernel({
  name: 'FacekitEncodeGammaGradient',
  inputs: { upstream: 'float32', linear: 'float32', encoded: 'float32' },
  outputs: ({ linear }) => ({ linear: float32(linear) }),
  cpu({ upstream, linear, encoded }, { linear: gradient }) {
    for (let i = 0; i < linear.length; i++) gradient[i] = upstream[i] * encodedSlope(linear[i], encoded[i])
  },
  operations({ upstream, linear, encoded }) {
    const inside = logicalAnd(greaterEqual(linear, 0), lessEqual(linear, 1))
    const power = mul(GAMMA_EXPONENT, div(encoded, maximum(linear, TOE)))
    const slope = where(greater(linear, TOE), power, TOE_SLOPE)
    return mul(upstream, mul(cast(inside, 'float32'), slope))
  },
})

const kernel = defineKernel({
  name: 'FacekitEncodeGamma',
  inputs: { linear: 'float32' },
  outputs: ({ linear }) => ({ encoded: float32(linear) }),
  saves: ['linear', 'encoded'],
  cpu({ linear }, { encoded }) {
    for (let i = 0; i < linear.length; i++) encoded[i] = encodeNumber(linear[i])
  },
  operations({ linear }) {
    const x = clipByValue(linear, 0, 1)
    return where(less(x, TOE), mul(x, TOE_SLOPE), pow(maximum(x, TOE), GAMMA_EXPONENT))
  },
  gradient: ({ upstream, saved }) => ({
    linear: () => gradientKernel({ ...saved, upstream: upstream.encoded }),
  }),
})

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
  return kernel({ linear }) as Tensor<R>
}
