import { gammaCurve } from '@facekit/core'
import { defineKernel, float32, float32Like } from '@facekit/kernels'
import {
  add,
  cast,
  clipByValue,
  div,
  equal,
  less,
  lessEqual,
  logicalAnd,
  maximum,
  mul,
  neg,
  pow,
  sub,
  sum,
  where,
  type Tensor,
  type Tensor4D,
} from '@tensorflow/tfjs-core'
import { compositeBackward, compositeForward } from './cpu/composite.js'
import { compositeGradientOnGpu, compositeOnGpu } from './webgpu/composite.js'

const { exponent, toe, toeSlope, encodedToe } = gammaCurve
const TYPES = { rendered: 'float32', behind: 'float32', mask: 'float32' } as const

/** Linear light of an encoded picture. */
const decode = (encoded: Tensor) => {
  const power = pow(maximum(encoded, encodedToe), 1 / exponent)
  return where(less(encoded, encodedToe), div(encoded, toeSlope), power)
}

const gradientKernel = defineKernel({
  name: 'FacekitCompositeOverGradient',
  inputs: { ...TYPES, upstream: 'float32' },
  outputs: (shapes) => float32Like(shapes, ['rendered', 'mask']),
  cpu: ({ rendered, behind, mask, upstream }, gradients) =>
    compositeBackward(rendered, behind, mask, upstream, gradients.rendered, gradients.mask),
  webgpu: (backend, inputs, gradients) => compositeGradientOnGpu(backend, inputs, gradients),
  operations({ rendered, behind, mask, upstream }) {
    const light = decode(behind)
    const linear = add(decode(rendered), mul(sub(1, mask), light))
    const rising = mul(pow(maximum(linear, toe), exponent - 1), exponent)
    const slope = where(less(linear, toe), toeSlope, mul(rising, cast(lessEqual(linear, 1), 'float32')))
    const toLinear = mul(upstream, slope)
    const power = mul(pow(maximum(rendered, encodedToe), 1 / exponent - 1), 1 / exponent)
    const decodeSlope = where(less(rendered, encodedToe), 1 / toeSlope, power)
    return {
      rendered: where(equal(mask, 1), upstream, mul(toLinear, decodeSlope)),
      mask: neg(sum(mul(toLinear, light), -1, true)),
    }
  },
})

const kernel = defineKernel({
  name: 'FacekitCompositeOver',
  inputs: TYPES,
  outputs: ({ rendered: [batch, height, width] }) => ({ composite: float32([batch, height, width, 3]) }),
  saves: ['rendered', 'behind', 'mask'],
  constants: ['behind'],
  cpu: ({ rendered, behind, mask }, { composite }) => compositeForward(rendered, behind, mask, composite),
  webgpu: (backend, inputs, { composite }) => compositeOnGpu(backend, inputs, composite),
  operations({ rendered, behind, mask }) {
    const linear = add(decode(rendered), mul(sub(1, mask), decode(behind)))
    const power = pow(clipByValue(linear, toe, 1), exponent)
    const encoded = where(less(linear, toe), mul(linear, toeSlope), power)
    const uncovered = logicalAnd(equal(mask, 0), equal(rendered, 0))
    return where(equal(mask, 1), rendered, where(uncovered, behind, encoded))
  },
  gradient: ({ upstream, saved }) => gradientKernel({ ...saved, upstream: upstream.composite }),
})

/** A rendering in front of a picture.
 *
 * composite = encode(decode(rendered) + (1 - mask) decode(behind))
 *
 * Light adds up before it is encoded: a pixel of which white covers a half is encode(0.5) = 0.73 over black, and 1, not 1.23, over white.
 *
 * @param rendered - `[B, H, W, 3]` encoded after `mask` of each pixel was covered, over black
 * @param behind - `[B, H, W, 3]` encoded
 * @param mask - `[B, H, W, 1]` covered share of each pixel
 * @returns `[B, H, W, 3]` encoded; exactly `rendered` where `mask` is 1, exactly `behind` where nothing is covered
 * @differentiable rendered, mask
 * @memory the caller owns the result
 */
export function compositeOver(rendered: Tensor, behind: Tensor, mask: Tensor): Tensor4D {
  return kernel({ rendered, behind, mask })
}
