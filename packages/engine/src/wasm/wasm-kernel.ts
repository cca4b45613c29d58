import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import {
  registerTypedKernel,
  replaceTypedKernel,
  runTypedKernel,
  type KernelInputs,
  type TypedKernel,
} from '../tfjs/typed-kernel.js'

/** A kernel of the WASM backend. */
export type WasmKernel<
  Names extends string,
  Attributes,
  Result extends TensorInfo | TensorInfo[] = TensorInfo,
> = TypedKernel<KernelInputs<Names>, Attributes, BackendWasm, Result>

/** Registers a kernel for the WASM backend, in place of the stock one if there is one.
 *
 * @param stock - the one that is replaced: it stays set up, so that ours can hand rare cases to it
 */
export function registerWasmKernel<
  Names extends string,
  Attributes,
  Result extends TensorInfo | TensorInfo[] = TensorInfo,
>(name: string, kernel: WasmKernel<Names, Attributes, Result>, stock?: KernelConfig): void {
  registerTypedKernel(name, 'wasm', kernel, stock)
}

/** Replaces a kernel of the WASM backend by one that may call it. */
export function replaceWasmKernel<Names extends string, Attributes>(
  name: string,
  make: (stock: WasmKernel<Names, Attributes>) => WasmKernel<Names, Attributes>,
): void {
  replaceTypedKernel<KernelInputs<Names>, Attributes, BackendWasm>(name, 'wasm', make)
}

/** Runs a kernel of the WASM backend below tfjs' engine: no gradient, no scope; the caller disposes the result's data. */
export const runWasmKernel = (
  backend: BackendWasm,
  name: string,
  inputs: Record<string, TensorInfo>,
  attributes: object = {},
): TensorInfo => runTypedKernel(name, 'wasm', { inputs, attrs: attributes, backend })

/** The numbers of a float32 tensor in WASM's memory. Any allocation can move the memory: allocate first, look then. */
export function floats(backend: BackendWasm, tensor: TensorInfo): Float32Array {
  return backend.typedArrayFromHeap(tensor) as Float32Array
}
