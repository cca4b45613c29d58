import { type HostKernel, runHostKernel } from '@facekit/kernels'
import {
  clone,
  type KernelBackend,
  type NamedTensorMap,
  type Tensor,
  type TensorInfo,
} from '@tensorflow/tfjs-core'
import {
  channelStatistics,
  normalizationGradientArrays,
  normalizeArrays,
} from './batch-normalization-arrays.js'
import { gpuNormalize } from '../webgpu/norm/batch-normalization.js'
import { gpuNormalizeGradient } from '../webgpu/norm/batch-normalization-gradient.js'
import { gpuStatistics, type MovingAverages } from '../webgpu/norm/statistics.js'

/** Attributes of the kernels of batch normalisation in training mode. */
export interface TrainingAttributes {
  epsilon: number
  /** Updated in place; on WebGPU only. */
  moving?: MovingAverages
}

/** What is added before the activation, and the activation. */
export interface NormalizationVariant {
  residual: boolean
  relu: boolean
}

/** All there are. */
export const variants = [false, true].flatMap((residual) => [false, true].map((relu) => ({ residual, relu })))
/** For names of kernels. */
export const suffix = ({ residual, relu }: NormalizationVariant) =>
  `${residual ? 'Residual' : ''}${relu ? 'Relu' : ''}`
/** Place among them. */
export const index = ({ residual, relu }: NormalizationVariant) => Number(residual) * 2 + Number(relu)

export const onePerChannel = (shapes: readonly number[][]) => ({
  shape: shapes[1],
  dtype: 'float32' as const,
})
export const likeInput = (shapes: readonly number[][]) => ({ shape: shapes[0], dtype: 'float32' as const })

const gradientKernels = variants.map((variant): HostKernel<TrainingAttributes> => {
  const { residual, relu } = variant
  return {
    name: `FacekitBatchNormalization${suffix(variant)}Gradient`,
    inputs: ['x', 'scale', 'offset', 'mean', 'variance', 'dy', ...(residual && relu ? ['output'] : [])],
    outputs: (shapes) => [
      likeInput(shapes),
      onePerChannel(shapes),
      onePerChannel(shapes),
      ...(residual && relu ? [likeInput(shapes)] : []),
    ],
    compute: (
      [x, scale, offset, mean, variance, dy, output],
      [dx, dScale, dOffset, dResidual],
      _,
      { epsilon },
    ) =>
      normalizationGradientArrays(
        { x, scale, offset, mean, variance },
        dy,
        output,
        { x: dx, scale: dScale, offset: dOffset, residual: dResidual },
        { epsilon, relu, training: true },
      ),
    webgpu: (backend, [x, scale, offset, mean, variance, dy, output], { epsilon }) => {
      const gradients = gpuNormalizeGradient(backend, {
        x,
        scale,
        offset,
        mean,
        variance,
        dy,
        output,
        epsilon,
        relu,
        residual,
        training: true,
      })
      return [
        gradients.x,
        gradients.scale,
        gradients.offset,
        ...(gradients.residual ? [gradients.residual] : []),
      ]
    },
  }
})

const kernels = variants.map((variant): HostKernel<TrainingAttributes> => {
  const { residual, relu } = variant
  return {
    name: `FacekitBatchNormalization${suffix(variant)}`,
    inputs: ['x', 'scale', 'offset', ...(residual ? ['residual'] : [])],
    outputs: (shapes) => [likeInput(shapes), onePerChannel(shapes), onePerChannel(shapes)],
    compute: ([x, scale, offset, added], [output, mean, variance], _, { epsilon }) => {
      channelStatistics(x, mean, variance)
      normalizeArrays({ x, scale, offset, mean, variance, residual: added }, output, epsilon, relu)
    },
    webgpu: (backend: KernelBackend, [x, scale, offset, added]: TensorInfo[], { epsilon, moving }) => {
      const { mean, variance } = gpuStatistics(backend, x, moving)
      const output = gpuNormalize(backend, {
        x,
        scale,
        offset,
        mean,
        variance,
        epsilon,
        relu,
        residual: added,
      })
      return [output, mean, variance]
    },
    gradient: {
      inputsToSave: ['x', 'scale', 'offset'],
      // With both, the sign of what came out does not follow from x.
      outputsToSave: [residual && relu, true, true],
      gradFunc: (dys, saved, attributes) => {
        const [dy] = dys as Tensor[]
        const [x, scale, offset] = saved
        const [mean, variance] = saved.slice(-2)
        const inputs: NamedTensorMap = { x, scale, offset, mean, variance, dy }
        if (residual && relu) inputs.output = saved[3]
        const { epsilon } = attributes as object as TrainingAttributes
        const [dx, dScale, dOffset, dResidual] = runHostKernel(gradientKernels[index(variant)], inputs, {
          epsilon,
        })
        return {
          x: () => dx,
          scale: () => dScale,
          offset: () => dOffset,
          ...(residual && { residual: () => dResidual ?? clone(dy) }),
        }
      },
    },
  }
})

/** The kernel of batch normalisation in training mode: `x`, `scale`, `offset`, `residual` to output, mean and variance. */
export const batchNormalizationKernel = (variant: NormalizationVariant): HostKernel<TrainingAttributes> =>
  kernels[index(variant)]
