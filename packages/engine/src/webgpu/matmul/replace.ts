import {
  getKernel,
  registerKernel,
  unregisterKernel,
  type KernelBackend,
  type KernelConfig,
  type KernelFunc,
  type TensorInfo,
} from '@tensorflow/tfjs-core'

/** What tfjs passes to a kernel. */
export interface KernelArguments<Inputs extends string, Attributes> {
  inputs: Record<Inputs, TensorInfo>
  attrs: Attributes
  backend: KernelBackend
}

type Kernel<Inputs extends string, Attributes> = (args: KernelArguments<Inputs, Attributes>) => TensorInfo

/** Kernels of tfjs that were replaced, by name: for rare cases, and to measure against. */
export const stockGpuKernels = new Map<string, KernelConfig>()

/** Replaces a kernel of the WebGPU backend by one that does the usual cases and leaves the others to the stock one. */
export function replaceGpuKernel<Inputs extends string, Attributes>(
  name: string,
  usual: (args: KernelArguments<Inputs, Attributes>) => boolean,
  kernel: Kernel<Inputs, Attributes>,
): void {
  const stock: KernelConfig = getKernel(name, 'webgpu')
  stockGpuKernels.set(name, stock)
  unregisterKernel(name, 'webgpu')
  const choose: Kernel<Inputs, Attributes> = (args) =>
    usual(args) ? kernel(args) : (stock.kernelFunc as unknown as Kernel<Inputs, Attributes>)(args)
  registerKernel({ ...stock, kernelFunc: choose as unknown as KernelFunc })
}
