import { defineKernel, float32 } from '@facekit/kernels'
import { clone } from '@tensorflow/tfjs-core'
import {
  channelStatistics,
  normalizeArrays,
  reduceStatistics,
  type BatchReduce,
} from './batch-normalization-arrays.js'
import { channelStatisticsOnWasm, normalizeOnWasm } from '../wasm/batch-normalization.js'
import { normalizationGradients } from './normalization-gradients.js'
import { likeMemory } from '../webgpu/columns.js'
import { gpuNormalize } from '../webgpu/norm/batch-normalization.js'
import { gpuNormalizeGradient } from '../webgpu/norm/batch-normalization-gradient.js'
import { gpuStatistics, type MovingAverages } from '../webgpu/norm/statistics.js'

/** Attributes of the kernels of batch normalisation in training mode. */
interface TrainingAttributes {
  epsilon: number
  /** Updated in place; on WebGPU only. */
  moving?: MovingAverages
}

/** What is added before the activation, and the activation. */
export interface NormalizationVariant {
  residual: boolean
  relu: boolean
}

/** A kernel of batch normalisation in training mode. */
export type BatchNormalizationKernel = ReturnType<typeof makeKernel>

/** A kernel for each variant: `x`, `scale`, `offset`, `residual` to output, mean and variance.
 *
 * @param prefix - of the kernels' names
 * @param reduce - adds statistics up over processes; on host memory only
 */
export function batchNormalizationKernels(
  prefix: string,
  reduce?: BatchReduce,
): (variant: NormalizationVariant) => BatchNormalizationKernel {
  const kernels = [false, true].map((residual) =>
    [false, true].map((relu) => makeKernel(prefix, { residual, relu }, reduce)),
  )
  return ({ residual, relu }) => kernels[Number(residual)][Number(relu)]
}

function makeKernel(prefix: string, variant: NormalizationVariant, reduce: BatchReduce | undefined) {
  const { residual, relu } = variant
  const name = `${prefix}${residual ? 'Residual' : ''}${relu ? 'Relu' : ''}`
  const gradientKernel = makeGradientKernel(`${name}Gradient`, variant, reduce)
  return defineKernel({
    name,
    inputs: { x: 'float32', scale: 'float32', offset: 'float32', residual: 'float32?' },
    outputs: ({ x, scale }) => ({ output: float32(x), mean: float32(scale), variance: float32(scale) }),
    constants: ['mean', 'variance'],
    // With both, the sign of what came out does not follow from x.
    saves: ['x', 'scale', 'offset', 'mean', 'variance', ...(residual && relu ? (['output'] as const) : [])],
    cpu: (inputs, { output, mean, variance }, _, { epsilon }: TrainingAttributes) => {
      if (!channelStatisticsOnWasm(inputs.x, mean, variance)) channelStatistics(inputs.x, mean, variance)
      if (reduce) reduceStatistics(inputs.x.length / mean.length, mean, variance, reduce)
      const arrays = { ...inputs, mean, variance }
      if (!normalizeOnWasm(arrays, output, epsilon, relu)) normalizeArrays(arrays, output, epsilon, relu)
    },
    webgpuMemory: (backend, { x }) => ({ output: likeMemory(backend, x) }),
    webgpu: (backend, inputs, { output, mean, variance }, { epsilon, moving }) => {
      gpuStatistics(backend, inputs.x, { mean, variance }, moving)
      gpuNormalize(backend, { ...inputs, mean, variance, epsilon, relu }, output)
    },
    gradient: ({ upstream, saved, attributes: { epsilon } }) => {
      const { x, scale, offset, mean, variance } = saved
      const dy = upstream.output
      const output = residual && relu ? saved.output : undefined
      const gradients = gradientKernel({ x, scale, offset, mean, variance, dy, output }, { epsilon })
      return {
        x: gradients.dx,
        scale: gradients.dScale,
        offset: gradients.dOffset,
        ...(residual && { residual: () => gradients.dResidual ?? clone(dy) }),
      }
    },
  })
}

function makeGradientKernel(
  name: string,
  { residual, relu }: NormalizationVariant,
  reduce: BatchReduce | undefined,
) {
  return defineKernel({
    name,
    inputs: {
      x: 'float32',
      scale: 'float32',
      offset: 'float32',
      mean: 'float32',
      variance: 'float32',
      dy: 'float32',
      output: 'float32?',
    },
    outputs: ({ x, scale }) => ({
      dx: float32(x),
      dScale: float32(scale),
      dOffset: float32(scale),
      dResidual: residual && relu ? float32(x) : undefined,
    }),
    cpu: ({ dy, output, ...arrays }, gradients, _, { epsilon }: { epsilon: number }) =>
      normalizationGradients(arrays, dy, output, named(gradients), { epsilon, relu, training: true, reduce }),
    webgpuMemory: (backend, { x }) => ({ dx: likeMemory(backend, x), dResidual: likeMemory(backend, x) }),
    webgpu: (backend, inputs, gradients, { epsilon }) =>
      gpuNormalizeGradient(backend, { ...inputs, epsilon, relu, training: true }, named(gradients)),
  })
}

/** Gradients by what they are the gradients of. */
const named = <T>(gradients: { dx: T; dScale: T; dOffset: T; dResidual?: T | undefined }) => ({
  x: gradients.dx,
  scale: gradients.dScale,
  offset: gradients.dOffset,
  residual: gradients.dResidual,
})
