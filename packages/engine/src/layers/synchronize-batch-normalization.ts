import { kernelPlace } from '../backends/own-kernels.js'
import {
  batchNormalizationKernels,
  type BatchNormalizationKernel,
  type NormalizationVariant,
} from './batch-normalization-kernel.js'
import type { BatchReduce } from './batch-normalization-arrays.js'

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
export function synchronizedKernel(variant: NormalizationVariant): BatchNormalizationKernel | undefined {
  return reduceBatch && kernelPlace() === 'host' ? synchronized(variant) : undefined
}

const synchronized = batchNormalizationKernels('FacekitSynchronizedBatchNormalization', (values) =>
  reduceBatch?.(values),
)
