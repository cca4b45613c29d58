import {
  engine,
  getKernel,
  registerKernel,
  tidy,
  type NamedAttrMap,
  type NamedTensorMap,
  type Tensor,
} from '@tensorflow/tfjs-core'
import { BackendError } from '@facekit/core'
import { HOST_BACKENDS } from './host-backends.js'
import {
  planOf,
  prepareCall,
  type AnyDefinition,
  type AnyOperations,
  type KernelCall,
  type KernelFunction,
  type KernelPlan,
} from './kernel-call.js'
import { runCall, runOnHost, runOnWebgpu, runOperations, tensorsOf } from './kernel-halves.js'
import { completeRecord, isConstant, isRecording } from './kernel-tape.js'
import type { InputTypes, Kernel, KernelDefinition, NoAttributes, OutputSpecs } from './kernel-types.js'
import { untracked } from './untracked.js'

/** How a kernel runs on a backend: as one entry of the tape, or as operations that are recorded one by one. */
interface Route {
  half?: KernelFunction
  recorded?: AnyOperations
}

/** Defines an operation with an implementation for each kind of backend, and its gradient.
 *
 * | backend | runs |
 * |---|---|
 * | cpu, wasm, tensorflow | `cpu`: one loop over typed arrays; on wasm they are views of its memory |
 * | webgpu | `webgpu`: programs in WGSL |
 * | where that half is missing, and on every other backend | `operations`: stock operations, or other kernels |
 * | where these are missing, too | `cpu` on copies; on webgpu, which can't be read at once, an error |
 *
 * `gradient` serves all of them; it is made of kernels defined alike, so that it finds its own way on each backend. Only operations
 * that are recorded (`recordsOperations`) are differentiated by tfjs instead.
 *
 * @memory the caller owns the results; the name is registered with tfjs when the kernel first runs on a backend
 * @throws {BackendError} when it is called, and has nothing that runs on the current backend
 * @example
 * const scaleGradient = defineKernel({
 *   name: 'ScaleGradient',
 *   inputs: { upstream: 'float32' },
 *   outputs: ({ upstream }) => ({ x: float32(upstream) }),
 *   cpu({ upstream }, { x }, _shapes, { factor }: { factor: number }) {
 *     for (let i = 0; i < x.length; i++) x[i] = factor * upstream[i]
 *   },
 * })
 * const scale = defineKernel({
 *   name: 'Scale',
 *   inputs: { x: 'float32' },
 *   outputs: ({ x }) => ({ scaled: float32(x) }),
 *   cpu({ x }, { scaled }, _shapes, { factor }: { factor: number }) {
 *     for (let i = 0; i < x.length; i++) scaled[i] = factor * x[i]
 *   },
 *   gradient: ({ upstream, attributes }) => ({ x: () => scaleGradient({ upstream: upstream.scaled }, attributes) }),
 * })
 * scale({ x: tf.tensor1d([1, 2]) }, { factor: 3 }) // 3, 6
 */
export function defineKernel<
  const Inputs extends InputTypes,
  const Outputs extends OutputSpecs,
  const Kept extends OutputSpecs = NoAttributes,
  Attributes extends object = NoAttributes,
  Saved extends string = never,
  Constant extends string = never,
>(
  definition: KernelDefinition<Inputs, Outputs, Kept, Attributes, Saved, Constant>,
): Kernel<Inputs, Outputs, Attributes>
export function defineKernel(definition: AnyDefinition): unknown {
  const plan = planOf(definition)
  const best = router(plan, (backendName) => bestRoute(definition, backendName))
  const byOperations = router(plan, () => stockRoute(definition))
  return Object.assign(best, { byOperations })
}

type TensorsByName = Readonly<Record<string, Tensor | undefined>>

/** A kernel that finds its way on each backend once. */
function router(plan: KernelPlan, find: (backendName: string) => Route) {
  const routes = new Map<string, Route>()
  return (inputs: TensorsByName, attributes: object = {}): Tensor | TensorsByName => {
    const backendName = currentBackend()
    let route = routes.get(backendName)
    if (route === undefined) {
      routes.set(backendName, (route = find(backendName)))
      register(plan.definition.name, backendName)
    }
    const call = prepareCall(plan, route.half, inputs, attributes)
    const tensors = route.recorded === undefined ? runKernel(call) : runRecorded(call, route.recorded)
    if (call.visible === 1) return tensors[0]
    const results: Record<string, Tensor> = {}
    for (let i = 0; i < call.visible; i++) results[call.names[i]] = tensors[i]
    return results
  }
}

function currentBackend(): string {
  const current = engine()
  // Starts a backend if none was chosen.
  if (!current.backendName) void current.backend
  return current.backendName
}

function register(kernelName: string, backendName: string): void {
  if (getKernel(kernelName, backendName) === undefined) {
    registerKernel({ kernelName, backendName, kernelFunc: runCall })
  }
}

function bestRoute(definition: AnyDefinition, backendName: string): Route {
  const { name, cpu, webgpu, operations } = definition
  const onHost = HOST_BACKENDS.includes(backendName)
  const half = onHost ? cpu : backendName === 'webgpu' ? webgpu : undefined
  if (typeof half === 'function') return { half: onHost ? runOnHost : runOnWebgpu }
  if (half !== undefined) return operationsRoute(definition, half.operations)
  if (operations !== undefined) return operationsRoute(definition, operations)
  if (typeof cpu === 'function' && backendName !== 'webgpu') return { half: runOnHost }
  const able = [...(cpu === undefined ? [] : HOST_BACKENDS), ...(webgpu === undefined ? [] : ['webgpu'])]
  throw new BackendError(
    `${name} has no kernel for the ${backendName} backend; use ${able.join(', ')} (tf.setBackend('${able.at(-1)}'))`,
  )
}

function stockRoute(definition: AnyDefinition): Route {
  const { name, operations } = definition
  if (operations === undefined) throw new BackendError(`${name} has no operations; call the kernel itself`)
  return operationsRoute(definition, operations)
}

function operationsRoute(definition: AnyDefinition, operations: AnyOperations): Route {
  const { gradient, recordsOperations = gradient === undefined } = definition
  return recordsOperations ? { recorded: operations } : { half: runOperations(operations) }
}

function runKernel(call: KernelCall): Tensor[] {
  const recording = isRecording()
  const { plan, given, visible } = call
  const tensors = engine().runKernel(plan.definition.name, given, call as object as NamedAttrMap) as Tensor[]
  if (recording) completeRecord(call, tensors)
  else for (let i = visible; i < tensors.length; i++) tensors[i].dispose()
  return tensors
}

function runRecorded(call: KernelCall, operations: AnyOperations): Tensor[] {
  const { plan, given, names, visible, attributes } = call
  const outputs = names.slice(0, visible)
  return tidy(() => {
    if (!isRecording()) return tensorsOf(operations(given, attributes), outputs)
    const detached = <T extends Tensor>(name: string, tensor: T) =>
      isConstant(plan, name, tensor) ? untracked(tensor) : tensor
    const inputs: NamedTensorMap = {}
    for (const name in given) inputs[name] = detached(name, given[name])
    return tensorsOf(operations(inputs, attributes), outputs).map((tensor, i) => detached(outputs[i], tensor))
  })
}
