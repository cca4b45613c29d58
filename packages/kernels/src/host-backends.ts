import { getBackend } from '@tensorflow/tfjs-core'

/** Backends whose tensors lie in the CPU's memory. */
export const HOST_BACKENDS: readonly string[] = ['cpu', 'wasm', 'tensorflow']

/** Whether the current backend's tensors lie in the CPU's memory, so that reading them costs nothing.
 *
 * WebGPU cannot be read synchronously in Node, and a GPU should not be waited for anywhere. Kernels need not ask: see `defineKernel`.
 */
export const hasHostMemory = (): boolean => HOST_BACKENDS.includes(getBackend())
