import type { KernelConfig } from '@tensorflow/tfjs-core'
import {
  registeredKernel,
  replaceTypedKernel,
  type KernelArguments,
  type KernelInputs,
  type TypedKernel,
} from '../../tfjs/typed-kernel.js'

/** Kernels of tfjs that were replaced, by name: to measure against. */
export const stockGpuKernels = new Map<string, KernelConfig>()

/** Replaces a kernel of the WebGPU backend by one that does the usual cases and leaves the others to the stock one. */
export function replaceGpuKernel<Names extends string, Attributes>(
  name: string,
  usual: (args: KernelArguments<KernelInputs<Names>, Attributes>) => boolean,
  kernel: TypedKernel<KernelInputs<Names>, Attributes>,
): void {
  const stock = registeredKernel(name, 'webgpu')
  if (stock) stockGpuKernels.set(name, stock.config)
  replaceTypedKernel<KernelInputs<Names>, Attributes>(
    name,
    'webgpu',
    (stock) => (args) => (usual(args) ? kernel : stock)(args),
  )
}
