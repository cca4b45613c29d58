import { assertDataType, assertShape, showValue, ValueError } from '@facekit/core'
import {
  add,
  div,
  engine,
  fill,
  mean as meanOf,
  mul,
  relu,
  sqrt,
  square,
  sub,
  tidy,
  type Rank,
  type Tensor,
  type Tensor1D,
  type Variable,
} from '@tensorflow/tfjs-core'
import { batchNormalizationKernels } from './batch-normalization-kernel.js'
import { hasOwnKernels, kernelPlace } from '../backends/own-kernels.js'
import { synchronizedKernel } from './synchronize-batch-normalization.js'

/** Options of `batchNormalization`. */
export interface BatchNormalizationOptions<R extends Rank = Rank> {
  /** Added to the variance. Default 1e-3, as in `tf.batchNorm`. */
  epsilon?: number
  /** Added to what was normalised, before the activation; of the shape of `x`. */
  residual?: Tensor<R>
  /** Default none. */
  activation?: 'relu'
  /** Moving averages that this batch is mixed into: `average = momentum * average + (1 - momentum) * value`, `[C]` each. */
  moving?: { mean: Variable; variance: Variable; /** Default 0.99. */ momentum?: number }
}

/** A normalised batch and what it was normalised by. */
export interface NormalizedBatch<R extends Rank = Rank> {
  /** Of the shape of `x`. */
  output: Tensor<R>
  /** `[C]`: of this batch, for moving averages; gradients do not flow through them. */
  mean: Tensor1D
  /** `[C]`: the mean of the squared deviations, without Bessel's correction. */
  variance: Tensor1D
}

/** Batch normalisation in training mode, `(x - mean) / sqrt(variance + epsilon) * scale + offset`, by the statistics of `x` over all
 * but its last axis; then the residual is added and the activation applied, as a residual block needs it.
 *
 * One operation instead of a dozen: forward it reads `x` twice and writes once, backward it reads `x` and the incoming gradient twice and writes
 * once. Statistics lose no digits to a large mean. Kept for the gradient: `x`, `[C]` of mean and variance, and the output where there are
 * both a residual and an activation.
 *
 * @param x - `[..., C]`, float32
 * @param scale - `[C]`, `gamma` of the paper (Ioffe, Szegedy 2015)
 * @param offset - `[C]`, `beta`
 * @differentiable `output` in `x`, `scale`, `offset` and `residual`; first derivatives only on CPU, WASM and WebGPU
 * @memory the caller owns all results
 * @throws {ShapeError} when shapes do not fit or a tensor is not float32
 * @throws {ValueError} when epsilon is negative or the activation unknown
 * @example
 * const { output } = batchNormalization(tf.conv2d(x, filter, 1, 'same'), scale, offset, { activation: 'relu' })
 */
export function batchNormalization<R extends Rank>(
  x: Tensor<R>,
  scale: Tensor1D,
  offset: Tensor1D,
  options: BatchNormalizationOptions<R> = {},
): NormalizedBatch<R> {
  const { epsilon = 1e-3, residual, activation, moving } = options
  const known = assertShape('batchNormalization: x', x, ['...', 'C'])
  assertShape('batchNormalization: scale', scale, ['C'], known)
  assertShape('batchNormalization: offset', offset, ['C'], known)
  if (residual) assertShape('batchNormalization: residual', residual, x.shape)
  for (const [name, tensor] of Object.entries({ x, scale, offset, ...(residual && { residual }) })) {
    assertDataType(`batchNormalization: ${name}`, tensor, 'float32')
  }
  if (!(epsilon >= 0)) throw new ValueError(`batchNormalization: epsilon is ${epsilon}, expected 0 or more`)
  if (activation !== undefined && activation !== 'relu') {
    throw new ValueError(
      `batchNormalization: activation is ${showValue(activation)}, expected "relu" or none`,
    )
  }
  if (moving) {
    assertShape('batchNormalization: moving.mean', moving.mean, ['C'], known)
    assertShape('batchNormalization: moving.variance', moving.variance, ['C'], known)
  }
  if (x.size === 0) return emptyBatch(x, scale, offset)
  if (!hasOwnKernels()) return composed(x, scale, offset, options)

  const variant = { residual: residual !== undefined, relu: activation === 'relu' }
  const kernel = synchronizedKernel(variant) ?? ownKernel(variant)
  const rate = 1 - (moving?.momentum ?? 0.99)
  // In place only where nobody else looks at the data.
  const inPlace =
    kernelPlace() === 'gpu' && moving !== undefined && isSole(moving.mean) && isSole(moving.variance)
  const inputs = { x, scale, offset, residual }
  const { output, mean, variance } = kernel(inputs, {
    epsilon,
    ...(inPlace && { moving: { mean: moving.mean, variance: moving.variance, rate } }),
  })
  if (moving && !inPlace) updateMoving(moving.mean, mean, rate)
  if (moving && !inPlace) updateMoving(moving.variance, variance, rate)
  return { output: output as Tensor<R>, mean: mean as Tensor1D, variance: variance as Tensor1D }
}

const ownKernel = batchNormalizationKernels('FacekitBatchNormalization')

/** Whether this variable alone refers to its data. */
const isSole = (variable: Variable) => engine().backend.refCount(variable.dataId) === 1

function updateMoving(average: Variable, value: Tensor, rate: number): void {
  tidy(() => average.assign(add(average, mul(sub(value, average), rate))))
}

function emptyBatch<R extends Rank>(x: Tensor<R>, scale: Tensor1D, offset: Tensor1D): NormalizedBatch<R> {
  const unknown = () => fill(scale.shape, NaN) as Tensor1D
  const output = tidy(() => add(mul(x, scale), offset) as Tensor<R>)
  return { output, mean: unknown(), variance: unknown() }
}

/** For backends that have no kernel. */
function composed<R extends Rank>(
  x: Tensor<R>,
  scale: Tensor1D,
  offset: Tensor1D,
  { epsilon = 1e-3, residual, activation, moving }: BatchNormalizationOptions<R>,
): NormalizedBatch<R> {
  const { output, mean, variance } = tidy(() => {
    const axes = x.shape.map((_, axis) => axis).slice(0, -1)
    const mean = meanOf(x, axes) as Tensor1D
    const deviation = sub(x, mean)
    const variance = meanOf(square(deviation), axes) as Tensor1D
    let output = add(mul(deviation, div(scale, sqrt(add(variance, epsilon)))), offset) as Tensor<R>
    if (residual) output = add(output, residual)
    return { output: activation === 'relu' ? relu(output) : output, mean, variance }
  })
  if (moving) {
    const rate = 1 - (moving.momentum ?? 0.99)
    updateMoving(moving.mean, mean, rate)
    updateMoving(moving.variance, variance, rate)
  }
  return { output, mean, variance }
}
