import { type HostKernel, runHostKernel } from '@facekit/kernels'
import { kernelPlace } from '../backends/own-kernels.js'
import { clone, type NamedTensorMap, type Tensor } from '@tensorflow/tfjs-core'
import {
  channelStatistics,
  normalizationGradientArrays,
  normalizeArrays,
  reduceStatistics,
  type BatchReduce,
} from './batch-normalization-arrays.js'
import {
  index,
  likeInput,
  onePerChannel,
  suffix,
  variants,
  type NormalizationVariant,
  type TrainingAttributes,
} from './batch-normalization-kernel.js'

let reduceBatch: BatchReduce | undefined

/** Lets batch normalisation in training mode see the batch of all processes of a run: its statistics, and their gradients, are summed up over
 * them. Then N processes with batches of b compute what one computes with N b.
 *
 * On the `cpu` and `wasm` backends, for `batchNormalization` and the layer of tfjs-layers; slower there than without, by plain loops. Other
 * backends cannot wait for other processes inside an operation: they go on with the statistics of their own batch.
 *
 * Each process must run the same operations in the same order, and average the gradients of variables afterwards.
 *
 * @param reduce - replaces each number by its sum over all processes, at once; nothing: back to one's own batch
 * @example
 * synchronizeBatchNormalization((values) => reducer.allReduceSync(values))
 */
export function synchronizeBatchNormalization(reduce?: (values: Float64Array) => void): void {
  reduceBatch = reduce
}

/** The kernel for a batch that is spread over processes, if it is and the backend can. */
export function synchronizedKernel(
  variant: NormalizationVariant,
): HostKernel<TrainingAttributes> | undefined {
  return reduceBatch && kernelPlace() === 'host' ? kernels[index(variant)] : undefined
}

const reduce: BatchReduce = (values) => reduceBatch?.(values)

const gradientKernels = variants.map((variant): HostKernel<TrainingAttributes> => {
  const { residual, relu } = variant
  return {
    name: `FacekitSynchronizedBatchNormalization${suffix(variant)}Gradient`,
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
        { epsilon, relu, training: true, reduce },
      ),
  }
})

const kernels = variants.map((variant): HostKernel<TrainingAttributes> => {
  const { residual, relu } = variant
  return {
    name: `FacekitSynchronizedBatchNormalization${suffix(variant)}`,
    inputs: ['x', 'scale', 'offset', ...(residual ? ['residual'] : [])],
    outputs: (shapes) => [likeInput(shapes), onePerChannel(shapes), onePerChannel(shapes)],
    compute: ([x, scale, offset, added], [output, mean, variance], _, { epsilon }) => {
      channelStatistics(x, mean, variance)
      reduceStatistics(x.length / mean.length, mean, variance, reduce)
      normalizeArrays({ x, scale, offset, mean, variance, residual: added }, output, epsilon, relu)
    },
    gradient: {
      inputsToSave: ['x', 'scale', 'offset'],
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
