import {
  engine,
  Identity,
  tidy,
  type KernelBackend,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type Tensor,
} from '@tensorflow/tfjs-core'
import { makeGpuTensor } from './gpu-program.js'
import { computeOnHost, type HostArray } from './host-arrays.js'
import type { AnyOperations, KernelCall, KernelFunction } from './kernel-call.js'
import type { InputType } from './kernel-types.js'

type Named<T> = Record<string, T>
type CpuHalf = (
  inputs: Named<HostArray>,
  outputs: Named<HostArray>,
  shapes: object,
  attributes: object,
  infos: NamedTensorInfoMap,
) => void
type WebgpuHalf = (
  backend: KernelBackend,
  inputs: NamedTensorInfoMap,
  outputs: NamedTensorInfoMap,
  attributes: object,
) => void

const callOf = (attributes: NamedAttrMap | undefined) => attributes as unknown as KernelCall

const byName = <T>(names: readonly string[], values: readonly T[]): Named<T> => {
  const result: Named<T> = {}
  for (let i = 0; i < names.length; i++) result[names[i]] = values[i]
  return result
}

/** What every kernel is to tfjs. That it says nothing of the backend makes it safe to copy from one to another, as
 * `tf.copyRegisteredKernels` does. */
export const runCall: KernelFunction = (params) => callOf(params.attrs).half!(params)

/** Runs the loop of a call on views of memory, or on copies. */
export const runOnHost: KernelFunction = ({ backend, attrs }) => {
  const { plan, attributes, given, shapes, names, specs } = callOf(attrs)
  const { inputs, cpu } = plan.definition
  const infos = Object.values(given)
  return computeOnHost(backend as KernelBackend, infos, specs, (arrays, outputs) => {
    const typed: Named<HostArray> = {}
    let i = 0
    for (const name in given) typed[name] = asType(inputs[name], arrays[i++])
    ;(cpu as CpuHalf)(typed, byName(names, outputs), shapes, attributes, given)
  })
}

/** An array of the type that the definition promises. */
function asType(type: InputType, array: HostArray): HostArray {
  if (type === 'float32' || type === 'float32?') {
    return array instanceof Float32Array ? array : Float32Array.from(array)
  }
  return array instanceof Int32Array ? array : Int32Array.from(array)
}

/** Makes the outputs of a call on WebGPU and runs its programs. */
export const runOnWebgpu: KernelFunction = ({ backend, attrs }) => {
  const { plan, attributes, given, names, specs } = callOf(attrs)
  const gpu = backend as KernelBackend
  const memory = plan.definition.webgpuMemory?.(gpu, given as never)
  const outputs = specs.map(({ shape, dtype }, i) =>
    makeGpuTensor(gpu, [...shape], memory?.[names[i]] ?? dtype),
  )
  try {
    ;(plan.definition.webgpu as WebgpuHalf)(gpu, given, byName(names, outputs), attributes)
  } catch (error) {
    for (const { dataId } of outputs) gpu.disposeData(dataId)
    throw error
  }
  return outputs
}

/** A kernel function out of operations, of which tfjs records nothing. */
export const runOperations =
  (operations: AnyOperations): KernelFunction =>
  ({ attrs }) => {
    const { attributes, given, names } = callOf(attrs)
    const inputs = new Set(Object.values(given))
    return tidy(() =>
      tensorsOf(operations(given, attributes), names).map((tensor) =>
        inputs.has(tensor) ? (engine().runKernel(Identity, { x: tensor }) as Tensor) : tensor,
      ),
    )
  }

/** What operations returned, in order. */
export const tensorsOf = (
  result: Tensor | Readonly<Record<string, Tensor | undefined>>,
  names: readonly string[],
): Tensor[] => {
  if (isTensor(result)) return [result]
  return names.map((name) => result[name]!)
}

const isTensor = (value: object): value is Tensor => 'dataId' in value
