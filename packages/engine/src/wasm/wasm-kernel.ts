import {
  getKernel,
  registerKernel,
  unregisterKernel,
  type KernelConfig,
  type NamedAttrMap,
  type TensorInfo,
} from '@tensorflow/tfjs-core'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'

/** What tfjs passes to a kernel of the WASM backend. */
export interface WasmKernelArguments<Inputs extends string, Attributes> {
  inputs: Record<Inputs, TensorInfo>
  attrs: Attributes
  backend: BackendWasm
}

/** A kernel of the WASM backend. */
export type WasmKernel<Inputs extends string, Attributes> = (
  args: WasmKernelArguments<Inputs, Attributes>,
) => TensorInfo

/** Registers a kernel for the WASM backend, in place of the stock one if there is one.
 *
 * @param stock - the one that is replaced: it stays set up, so that ours can hand rare cases to it
 */
export function registerWasmKernel<Inputs extends string, Attributes>(
  name: string,
  kernel: WasmKernel<Inputs, Attributes>,
  stock?: KernelConfig,
): void {
  // tfjs prints a warning when a kernel is registered twice.
  if (getKernel(name, 'wasm')) unregisterKernel(name, 'wasm')
  registerKernel({
    kernelName: name,
    backendName: 'wasm',
    kernelFunc: kernel as unknown as KernelConfig['kernelFunc'],
    setupFunc: stock?.setupFunc,
    disposeFunc: stock?.disposeFunc,
  })
}

/** Runs a kernel of the WASM backend below tfjs' engine: no gradient, no scope; the caller disposes the result's data. */
export function runWasmKernel(
  backend: BackendWasm,
  name: string,
  inputs: Record<string, TensorInfo>,
  attributes: object = {},
): TensorInfo {
  const kernel = getKernel(name, 'wasm')
  return kernel.kernelFunc({ inputs, backend, attrs: attributes as NamedAttrMap }) as TensorInfo
}

/** The numbers of a float32 tensor in WASM's memory. Any allocation can move the memory: allocate first, look then. */
export function floats(backend: BackendWasm, tensor: TensorInfo): Float32Array {
  return backend.typedArrayFromHeap(tensor) as Float32Array
}
