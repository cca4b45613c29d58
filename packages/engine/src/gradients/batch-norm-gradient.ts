import { defineKernel, float32 } from '@facekit/kernels'
import { add, mul, reshape, rsqrt, square, sub, sum, type Tensor } from '@tensorflow/tfjs-core'
import { normalizationGradients } from '../layers/normalization-gradients.js'
import { likeMemory } from '../webgpu/columns.js'
import { gpuNormalizeGradient } from '../webgpu/norm/batch-normalization-gradient.js'
import { completeBatchNormInputs } from '../tfjs/batch-norm-inputs.js'
import { replaceGradient } from '../tfjs/typed-gradient.js'
import { hasOwnKernels } from '../backends/own-kernels.js'

/** Gradients of `tf.batchNorm` in `x`, `scale` and `offset`, mean and variance being constants. */
const gradientKernel = defineKernel({
  name: 'FacekitBatchNormGradient',
  inputs: { x: 'float32', dy: 'float32', mean: 'float32', variance: 'float32', scale: 'float32' },
  outputs: ({ x, mean }) => ({ dx: float32(x), dScale: float32(mean), dOffset: float32(mean) }),
  cpu: ({ dy, ...arrays }, { dx, dScale, dOffset }, _, { epsilon }: { epsilon: number }) =>
    normalizationGradients(
      // The offset would tell the sign of the result only.
      { ...arrays, offset: arrays.mean },
      dy,
      undefined,
      { x: dx, scale: dScale, offset: dOffset },
      { epsilon, relu: false, training: false },
    ),
  webgpuMemory: (backend, { x }) => ({ dx: likeMemory(backend, x) }),
  webgpu: (backend, inputs, { dx, dScale, dOffset }, { epsilon }) =>
    gpuNormalizeGradient(
      backend,
      { ...inputs, offset: inputs.mean, epsilon, relu: false, training: false },
      { x: dx, scale: dScale, offset: dOffset },
    ),
})

let complete = false

/** Makes the gradient of `tf.batchNorm` two passes over the data instead of a dozen, and right for statistics of any shape that broadcasts,
 * such as those of another axis than the last, which stock tfjs refuses. Does nothing the second time. */
export function completeBatchNormGradient(): void {
  if (complete) return
  complete = true
  completeBatchNormInputs()
  replaceGradient<{ varianceEpsilon: number }>('FusedBatchNorm', {
    inputsToSave: ['x', 'mean', 'variance', 'scale'],
    gradFunc: (dy, [x, mean, variance, scale], { varianceEpsilon: epsilon }) => {
      const channels = x.shape[x.rank - 1]
      const perChannel = [mean, variance, scale].every(({ rank, size }) => rank === 1 && size === channels)
      const fast = hasOwnKernels() && perChannel && x.size > 0
      return (fast ? channelGradients : broadcastGradients)(dy, x, mean, variance, scale, epsilon)
    },
  })
}

type Gradients = (
  dy: Tensor,
  x: Tensor,
  mean: Tensor,
  variance: Tensor,
  scale: Tensor,
  epsilon: number,
) => Record<'x' | 'mean' | 'variance' | 'scale' | 'offset', () => Tensor>

const channelGradients: Gradients = (dy, x, mean, variance, scale, epsilon) => {
  const { dx, dScale, dOffset } = gradientKernel({ x, dy, mean, variance, scale }, { epsilon })
  const rate = () => rsqrt(add(variance, epsilon))
  return {
    x: () => dx,
    scale: () => dScale,
    offset: () => dOffset,
    mean: () => mul(mul(dOffset, -1), mul(scale, rate())),
    variance: () => mul(mul(dScale, -0.5), mul(scale, square(rate()))),
  }
}

const broadcastGradients: Gradients = (dy, x, mean, variance, scale, epsilon) => {
  const rate = () => rsqrt(add(variance, epsilon))
  const dx = () => mul(mul(dy, scale), rate())
  const normal = () => mul(sub(x, mean), rate())
  return {
    x: dx,
    scale: () => sumTo(mul(dy, normal()), scale.shape),
    offset: () => sumTo(dy, mean.shape),
    mean: () => sumTo(mul(dx(), -1), mean.shape),
    variance: () => sumTo(mul(mul(mul(dx(), normal()), -0.5), rate()), variance.shape),
  }
}

/** Sums over the axes along which a tensor of this shape was broadcast. */
function sumTo(x: Tensor, shape: number[]): Tensor {
  const extra = x.rank - shape.length
  const axes = [...x.shape.keys()].filter((i) => i < extra || shape[i - extra] === 1)
  return reshape(axes.length > 0 ? sum(x, axes) : x, shape)
}
