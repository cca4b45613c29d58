import { defineKernel, float32 } from '@facekit/kernels'
import {
  add,
  cast,
  greaterEqual,
  mul,
  step,
  sub,
  type Scalar,
  type Tensor,
  type Tensor4D,
} from '@tensorflow/tfjs-core'
import { residualBackward, residualForward } from './cpu/color-residual.js'
import { residualNorm } from './residual-norm.js'
import { colorResidualGradientOnGpu, colorResidualOnGpu } from './webgpu/color-residual.js'
import { SMALLEST_WEIGHT, weightedMean } from './weighted-mean.js'
import { WHOLE } from './whole-pixels.js'

interface Attributes {
  epsilon: number
}

const TYPES = {
  rendered: 'float32',
  inputImage: 'float32',
  mask: 'float32',
  faceRegion: 'float32',
  skinProbability: 'float32?',
} as const

const gradientKernel = defineKernel({
  name: 'FacekitColorResidualGradient',
  inputs: { ...TYPES, factors: 'float32', upstream: 'float32' },
  outputs: ({ rendered }) => ({ rendered: float32(rendered) }),
  cpu(inputs, { rendered }, { rendered: [batch] }, { epsilon }: Attributes) {
    const factors = Array.from(inputs.factors, (factor) => factor * inputs.upstream[0])
    residualBackward({ ...inputs, batch }, epsilon, factors, rendered)
  },
  webgpu: (backend, inputs, { rendered }, { epsilon }) =>
    colorResidualGradientOnGpu(backend, inputs, rendered, epsilon),
})

const kernel = defineKernel({
  name: 'FacekitColorResidual',
  inputs: TYPES,
  outputs: () => ({ loss: float32([]) }),
  // What the sum of a picture is multiplied by.
  keeps: ({ rendered: [batch] }) => ({ factors: float32([batch]) }),
  saves: ['rendered', 'inputImage', 'mask', 'faceRegion', 'skinProbability'],
  constants: ['inputImage', 'mask', 'faceRegion', 'skinProbability'],
  cpu(inputs, { loss, factors }, { rendered: [batch] }, { epsilon }: Attributes) {
    const { errors, weights } = residualForward({ ...inputs, batch }, epsilon)
    let total = 0
    for (let item = 0; item < batch; item++) {
      factors[item] = 1 / (Math.max(weights[item], SMALLEST_WEIGHT) * batch)
      total += errors[item] * factors[item]
    }
    loss[0] = total
  },
  webgpu: (backend, inputs, outputs, { epsilon }) => colorResidualOnGpu(backend, inputs, outputs, epsilon),
  operations({ rendered, inputImage, mask, faceRegion, skinProbability }, { epsilon }) {
    let weights: Tensor = mul(faceRegion, cast(greaterEqual(mask, WHOLE), 'float32'))
    if (skinProbability) {
      // p + [p > 0.5] (1 - p): a quarter of the time of a selection.
      const certain = step(sub(skinProbability, 0.5))
      weights = mul(weights, add(skinProbability, mul(certain, sub(1, skinProbability))))
    }
    return weightedMean(residualNorm(rendered, inputImage, epsilon), weights)
  },
  recordsOperations: true,
  gradient: ({ upstream, saved, attributes }) => ({
    rendered: () => gradientKernel({ ...saved, upstream: upstream.loss }, attributes),
  }),
})

/** Weighted mean length of the colour differences between a rendering and an input image, smoothed at 0, then the mean over the pictures.
 *
 * Weights: faceRegion where the rendering covers a pixel wholly, times the probability of skin where that is not above 0.5. One pass over the pixels each way; stock operations,
 * which other backends have to take, need about 25.
 *
 * @param weights - `[B, H, W, 1]` each; without `skinProbability` all is skin
 * @differentiable rendered. No gradient: picture, weights.
 */
export function colorResidual(
  rendered: Tensor4D,
  inputImage: Tensor4D,
  weights: { mask: Tensor4D; faceRegion: Tensor4D; skinProbability?: Tensor4D },
  epsilon: number,
): Scalar {
  return kernel({ rendered, inputImage, ...weights }, { epsilon })
}
