import { type GpuBackend, type GpuProgram, runGpuProgram } from '@facekit/kernels'
import {
  engine,
  mul,
  tidy,
  type KernelBackend,
  type NamedTensorMap,
  type Tensor,
  type TensorInfo,
  type Variable,
} from '@tensorflow/tfjs-core'
import { hasOwnKernels } from '../backends/own-kernels.js'

/** What tfjs hands to `applyGradients`. */
export type VariableGradients = NamedTensorMap | { name: string; tensor: Tensor }[]

/** A variable with its gradient, and its place among all that were given, by which tfjs keeps its state. */
export interface VariableUpdate {
  position: number
  variable: Variable
  gradient: Tensor
}

/** A state variable as tfjs' optimisers keep it. */
export interface OptimizerVariable {
  originalName: string
  variable: Variable
}

/** Variables and gradients of a step, in order.
 *
 * @returns undefined when only the stock optimiser can do it: on another backend, for an unknown name, one that comes twice, a type or
 * a shape that does not fit
 */
export function fusedUpdates(gradients: VariableGradients): VariableUpdate[] | undefined {
  if (!hasOwnKernels()) return undefined
  const named = Array.isArray(gradients)
    ? gradients
    : Object.entries(gradients).map(([name, tensor]) => ({ name, tensor }))
  if (new Set(named.map(({ name }) => name)).size < named.length) return undefined
  const updates: VariableUpdate[] = []
  for (const [position, { name, tensor: gradient }] of named.entries()) {
    // tfjs skips variables that the loss does not depend on.
    if (gradient === null || gradient === undefined) continue
    const variable = engine().registeredVariables[name]
    if (variable?.dtype !== 'float32' || gradient.dtype !== 'float32') return undefined
    if (variable.size !== gradient.size) return undefined
    updates.push({ position, variable, gradient })
  }
  return updates
}

/** Makes sure that nobody else sees the data of a variable change in place: a clone, the tensor that it was made from. */
export function makeSole(variable: Variable): void {
  const { backend } = engine()
  // Moves the data here if it lies on another backend, where its count is.
  if (backend.refCount(variable.dataId) === 1) return
  tidy(() => variable.assign(mul(variable, 1)))
}

/** Numbers of an optimiser in the GPU's memory: those of a step that has been recorded may change without recording it anew. */
interface Settings {
  backend: KernelBackend
  info: TensorInfo
  rate: number
}

interface HasLearningRate {
  learningRate: number
}

const settings = new WeakMap<object, Settings>()

/** `[4]` on the GPU; the first number is the learning rate, now and whenever `optimizer.learningRate` is set; the others are the
 * optimiser's own. No tensor that tfjs counts. */
export function gpuSettings(optimizer: HasLearningRate): TensorInfo {
  const { backend } = engine()
  let known = settings.get(optimizer)
  if (known?.backend !== backend) {
    const info = (backend as GpuBackend).makeTensorInfo([4], 'float32')
    known = { backend, info, rate: NaN }
    settings.set(optimizer, known)
    watchLearningRate(optimizer)
  }
  if (known.rate !== optimizer.learningRate) writeRate(known, optimizer.learningRate)
  return known.info
}

/** Frees what `gpuSettings` has made. */
export function disposeSettings(optimizer: object): void {
  const known = settings.get(optimizer)
  if (known) known.backend.disposeData(known.info.dataId)
  settings.delete(optimizer)
}

function writeRate(known: Settings, rate: number): void {
  known.rate = rate
  runGpuProgram(known.backend, rateProgram, {
    inputs: [],
    outputs: [known.info],
    uniforms: [rate],
    workgroups: [1],
  })
}

const rateProgram: GpuProgram = {
  name: 'facekit_learning_rate',
  keeps: true,
  inputs: [],
  outputs: ['settings: f32'],
  uniforms: ['rate: f32'],
  code: '@compute @workgroup_size(1) fn main() { settings[0] = uniforms.rate; }',
}

/** A learning rate that is set between two replays of a recorded step reaches the GPU at once. */
function watchLearningRate(optimizer: HasLearningRate): void {
  let rate = optimizer.learningRate
  Object.defineProperty(optimizer, 'learningRate', {
    configurable: true,
    enumerable: true,
    get: () => rate,
    set: (value: number) => {
      rate = value
      const known = settings.get(optimizer)
      if (known && known.backend === engine().backend && known.rate !== value) writeRate(known, value)
    },
  })
}
