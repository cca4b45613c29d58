import { util, type TensorInfo } from '@tensorflow/tfjs-core'
import type { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu'
import { registerTypedKernel, type KernelInputs } from '../tfjs/typed-kernel.js'
import { floats, registerWasmKernel } from '../wasm/wasm-kernel.js'

/** A float32 kernel in plain JavaScript, for the backends whose numbers lie in typed arrays. */
export interface PlainKernel<Inputs extends string, Attributes> {
  name: string
  /** Shape of the result. */
  shape(inputs: Record<Inputs, TensorInfo>, attributes: Attributes): number[]
  /** Fills `result`, which may hold anything before. */
  compute(
    values: Record<Inputs, Float32Array>,
    result: Float32Array,
    inputs: Record<Inputs, TensorInfo>,
    attributes: Attributes,
  ): void
}

/** Registers a plain kernel, in place of the stock one if there is one. */
export function registerPlainKernel<Inputs extends string, Attributes>(
  backendName: 'cpu' | 'wasm',
  { name, shape, compute }: PlainKernel<Inputs, Attributes>,
): void {
  const read = (inputs: Record<Inputs, TensorInfo>, values: (tensor: TensorInfo) => Float32Array) => {
    const entries = Object.entries(inputs) as [string, TensorInfo][]
    return Object.fromEntries(entries.map(([key, tensor]) => [key, values(tensor)])) as Record<
      Inputs,
      Float32Array
    >
  }
  if (backendName === 'wasm') {
    registerWasmKernel<Inputs, Attributes>(name, ({ inputs, attrs, backend }) => {
      const out = backend.makeOutput(shape(inputs, attrs), 'float32')
      const values = read(inputs, (tensor) => floats(backend, tensor))
      compute(values, floats(backend, out), inputs, attrs)
      return out
    })
    return
  }
  registerTypedKernel<KernelInputs<Inputs>, Attributes, MathBackendCPU, TensorInfo>(name, 'cpu', (args) => {
    const { inputs, attrs, backend } = args
    const size = shape(inputs, attrs)
    const result = new Float32Array(util.sizeFromShape(size))
    const values = read(inputs, (tensor) => backend.data.get(tensor.dataId as object).values as Float32Array)
    compute(values, result, inputs, attrs)
    return backend.makeTensorInfo(size, 'float32', result)
  })
}
