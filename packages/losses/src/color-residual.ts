import {
  getBackend,
  mul,
  step,
  sub,
  add,
  tensor,
  tidy,
  type Scalar,
  type Tensor,
  type Tensor4D,
} from '@tensorflow/tfjs-core'
import { type HostKernel, hasHostMemory, runHostKernel } from '@facekit/kernels'
import { residualBackward, residualForward } from './color-residual-arrays.js'
import { constant } from './constant.js'
import { customGradient } from './custom-gradient.js'
import { colorResidualGradientOnGpu, colorResidualOnGpu } from './gpu-color-residual.js'
import { residualNorm } from './residual-norm.js'
import { SMALLEST_WEIGHT, weightedMean } from './weighted-mean.js'

interface Attributes {
  epsilon: number
}

const INPUTS = ['rendered', 'picture', 'mask', 'faceRegion', 'skinProbability']

const arraysOf = (arrays: (Float32Array | Int32Array)[], batch: number) => {
  const [rendered, picture, mask, faceRegion, skinProbability] = arrays
  return { rendered, picture, mask, faceRegion, skinProbability, batch }
}

const gradientKernel: HostKernel<Attributes> = {
  name: 'FacekitColorResidualGradient',
  inputs: [...INPUTS, 'factors', 'upstream'],
  outputs: ([shape]) => [{ shape, dtype: 'float32' }],
  compute(arrays, [result], [[batch]], { epsilon }) {
    const factors = Array.from(arrays[5], (factor) => factor * arrays[6][0])
    residualBackward(arraysOf(arrays, batch), epsilon, factors, result)
  },
  webgpu: colorResidualGradientOnGpu,
}

const kernel: HostKernel<Attributes> = {
  name: 'FacekitColorResidual',
  inputs: INPUTS,
  outputs: ([[batch]]) => [
    { shape: [], dtype: 'float32' },
    { shape: [batch], dtype: 'float32' },
  ],
  compute(arrays, [loss, factors], [[batch]], { epsilon }) {
    const { errors, weights } = residualForward(arraysOf(arrays, batch), epsilon)
    let total = 0
    for (let item = 0; item < batch; item++) {
      factors[item] = 1 / (Math.max(weights[item], SMALLEST_WEIGHT) * batch)
      total += errors[item] * factors[item]
    }
    loss[0] = total
  },
  webgpu: colorResidualOnGpu,
}

/** Weighted mean length of the colour differences of two pictures, smoothed at 0, then the mean over the pictures.
 *
 * Weights: mask * faceRegion, times the probability of skin where that is not above 0.5. One pass over the pixels each way; stock operations,
 * which other backends have to take, need about 25.
 *
 * @param weights - `[B, H, W, 1]` each; without `skinProbability` all is skin
 * @differentiable rendered. No gradient: picture, weights.
 */
export function colorResidual(
  rendered: Tensor4D,
  picture: Tensor4D,
  weights: { mask: Tensor4D; faceRegion: Tensor4D; skinProbability?: Tensor4D },
  epsilon: number,
): Scalar {
  const { mask, faceRegion, skinProbability } = weights
  if (!hasHostMemory() && getBackend() !== 'webgpu')
    return tidy(() => byOperations(rendered, picture, weights, epsilon))
  const named = (tensors: Tensor[]) => Object.fromEntries(INPUTS.map((name, i) => [name, tensors[i]]))
  return customGradient(
    rendered,
    (rendered) => {
      const inputs: Tensor[] = [rendered, picture, mask, faceRegion, skinProbability ?? tensor([], [0])]
      const [value, factors] = runHostKernel(kernel, named(inputs), { epsilon })
      return { value, saved: [...inputs, factors] }
    },
    (upstream, saved) =>
      runHostKernel(gradientKernel, { ...named(saved), factors: saved[5], upstream }, { epsilon })[0],
  ) as Scalar
}

function byOperations(
  rendered: Tensor4D,
  picture: Tensor4D,
  { mask, faceRegion, skinProbability }: { mask: Tensor4D; faceRegion: Tensor4D; skinProbability?: Tensor4D },
  epsilon: number,
): Scalar {
  let weights: Tensor = constant(mul(faceRegion, mask))
  if (skinProbability) {
    const probability = constant(skinProbability)
    // p + [p > 0.5] (1 - p): a quarter of the time of a selection.
    const certain = step(sub(probability, 0.5))
    weights = mul(weights, add(probability, mul(certain, sub(1, probability))))
  }
  return weightedMean(residualNorm(rendered, picture, epsilon), weights)
}
