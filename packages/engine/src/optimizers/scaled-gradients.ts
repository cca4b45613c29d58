import {
  engine,
  variableGrads,
  type NamedTensorMap,
  type Scalar,
  type Tensor,
  type Variable,
} from '@tensorflow/tfjs-core'
import type { GpuEngineBackend } from '../webgpu/backend/engine-backend.js'
import { lossScaleOf, unscaleOnGpu } from '../webgpu/loss-scale.js'
import { freeEarly, type GradientListener } from '../gradients/free-early.js'
import { gate } from './update-gate.js'

/** What dynamic loss scaling has come to: see `readLossScale`. */
export interface LossScale {
  /** What losses are multiplied by before they are differentiated. */
  scale: number
  /** Steps whose gradients were not finite, and which changed no variable. */
  skipped: number
}

/** The gradients of a loss, as `tf.variableGrads` gives them, by dynamic loss scaling in mixed precision (Micikevicius et al., "Mixed precision training",
 * 2018).
 *
 * Gradients of activations are numbers of 16 bits there, the smallest of which is 6e-8. So the loss is multiplied by a scale before it is differentiated, and
 * the gradients of the variables are divided by it. When one of them is not finite, all are zeros, the scale is halved, and `tf.train.adam`, `sgd`,
 * `momentum` and `AdamWOptimizer` that are given them, clipped or not, leave variables and state as they are; after 2,000 steps without that the scale is doubled. All of it
 * happens on the GPU: nothing is read, and steps can be recorded. `optimizer.minimize` does it by itself.
 *
 * In float32, and on other backends, it is `tf.variableGrads`.
 *
 * @param loss - a scalar
 * @param variables - default: all that are trainable
 * @returns the loss, unscaled, and a gradient for each variable that it depends on
 * @memory the caller owns the results
 * @example
 * const { value, grads } = scaledGradients(() => loss(batch), variables)
 * optimizer.applyGradients(grads)
 * tf.dispose([value, grads])
 */
export function scaledGradients(
  loss: () => Scalar,
  variables?: Variable[],
): { value: Scalar; grads: NamedTensorMap } {
  const { backend, backendName } = engine()
  const gpu = backend as GpuEngineBackend
  if (backendName !== 'webgpu' || !gpu.mixed) return variableGrads(loss, variables)
  const given = variables ?? Object.values(engine().registeredVariables)
  const trainable = given.filter((variable) => variable.trainable)
  // It says what is wrong.
  if (trainable.length === 0) return variableGrads(loss, variables)
  const { value, grads } = gradientsTimesScale(gpu, loss, trainable)
  const present = grads.filter((gradient) => gradient !== undefined)
  if (present.length === 0) {
    value.dispose()
    return variableGrads(loss, variables)
  }
  const unscaled = unscale(gpu, present)
  const named: Record<string, Tensor | null> = {}
  for (const [i, { name }] of trainable.entries()) {
    if (grads[i]) named[name] = unscaled.shift()!
  }
  // As tfjs has it: of variables that were asked for and are not trained.
  if (variables) for (const { name, trainable } of variables) if (!trainable) named[name] = null
  return { value: value as Scalar, grads: named as NamedTensorMap }
}

/** The gradients of a loss that is multiplied by the scale of now; none for variables that it does not depend on. */
export function gradientsTimesScale(
  gpu: GpuEngineBackend,
  loss: () => Scalar,
  variables: Variable[],
  onGradient?: GradientListener['onGradient'],
): { value: Tensor; grads: (Tensor | undefined)[] } {
  const state = lossScaleOf(gpu)
  gpu.incRef(state.scale.dataId)
  const scale = engine().makeTensorFromDataId(state.scale.dataId, [], 'float32', gpu)
  const forward = freeEarly(loss, onGradient && { variables, onGradient })
  const found = engine().gradients(forward, variables, scale, true)
  scale.dispose()
  return found
}

/** Divides gradients by the scale, notes whether they are finite, and moves the scale on.
 *
 * @memory disposes the gradients; the caller owns the results
 */
export function unscale(gpu: GpuEngineBackend, gradients: readonly Tensor[]): Tensor[] {
  const state = lossScaleOf(gpu)
  const unscaled = unscaleOnGpu(gpu, state, gradients).map((info) =>
    engine().makeTensorFromDataId(info.dataId, info.shape, 'float32', gpu),
  )
  for (const gradient of gradients) gradient.dispose()
  for (const gradient of unscaled) gate(gradient, state.gate)
  return unscaled
}

/** Reads how far dynamic loss scaling has come on the current backend, all steps of the process together.
 *
 * @returns nothing before the first step in mixed precision
 */
export async function readLossScale(): Promise<LossScale | undefined> {
  const { backend, backendName } = engine()
  const state = backendName === 'webgpu' ? (backend as GpuEngineBackend).lossScale : undefined
  if (!state) return undefined
  const [scale] = (await backend.read(state.scale.dataId)) as Float32Array
  const [, , skipped] = (await backend.read(state.gate.dataId)) as Float32Array
  return { scale, skipped }
}
