import { assertDataType, assertInRange } from '@facekit/core'
import {
  addN,
  div,
  engine,
  maximum,
  mul,
  scalar,
  sqrt,
  square,
  sum,
  tidy,
  type NamedTensorMap,
  type Scalar,
  type Tensor,
} from '@tensorflow/tfjs-core'
import { kernelPlace } from '../backends/own-kernels.js'
import { passGate } from './update-gate.js'
import { clipOnGpu } from '../webgpu/clip.js'

/** Gradients that were clipped, and the norm that they had. */
export interface ClippedGradients<Gradients> {
  gradients: Gradients
  norm: Scalar
}

/** Scales gradients so that their norm, that of all of them taken as one vector, is at most `limit` (Pascanu, Mikolov, Bengio 2013).
 *
 * On WebGPU a few dispatches for all of them. The limit is frozen when a step is recorded.
 *
 * @param gradients - as `tf.variableGrads(...).grads` gives them, float32
 * @param limit - above 0
 * @differentiable no
 * @memory the caller owns the results, and still the gradients
 * @throws {ValueError} when the limit is not positive
 * @throws {ShapeError} when a gradient is not float32
 * @example
 * const { value, grads } = tf.variableGrads(loss)
 * const { gradients, norm } = clipByGlobalNorm(grads, 1)
 * optimizer.applyGradients(gradients)
 * tf.dispose([value, grads, gradients, norm])
 */
export function clipByGlobalNorm<Gradients extends NamedTensorMap | Tensor[]>(
  gradients: Gradients,
  limit: number,
): ClippedGradients<Gradients> {
  assertInRange('clipByGlobalNorm: limit', limit, Number.MIN_VALUE, Infinity)
  const entries = Object.entries(gradients as NamedTensorMap).filter(([, tensor]) => tensor !== null)
  for (const [name, tensor] of entries) assertDataType(`clipByGlobalNorm: ${name}`, tensor, 'float32')
  const { clipped, norm } = clip(
    entries.map(([, tensor]) => tensor),
    limit,
  )
  for (const [i, [, tensor]] of entries.entries()) passGate(tensor, clipped[i])
  const named = Object.fromEntries(entries.map(([name], i) => [name, clipped[i]]))
  const result = Array.isArray(gradients) ? gradients.map((_, i) => named[i]) : named
  return { gradients: result as Gradients, norm }
}

function clip(tensors: Tensor[], limit: number): { clipped: Tensor[]; norm: Scalar } {
  if (kernelPlace() === 'gpu' && tensors.length > 0) {
    const { clipped, norm } = clipOnGpu(engine().backend, tensors, limit)
    const tensorOf = (info: typeof norm, shape: number[]) =>
      engine().makeTensorFromDataId(info.dataId, shape, 'float32')
    return {
      clipped: clipped.map((info) => tensorOf(info, info.shape)),
      norm: tensorOf(norm, []) as Scalar,
    }
  }
  const [norm, ...clipped] = tidy(() => {
    const filled = tensors.filter(({ size }) => size > 0)
    const squares = filled.map((tensor) => sum(square(tensor)))
    const norm = sqrt(squares.length > 0 ? addN(squares) : scalar(0)) as Scalar
    const factor = div(limit, maximum(norm, limit))
    return [norm, ...tensors.map((tensor) => mul(tensor, factor))]
  }) as [Scalar, ...Tensor[]]
  return { clipped, norm }
}
