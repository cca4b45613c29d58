import { getBackend } from '@tensorflow/tfjs-core'

const SYNCHRONOUS: readonly string[] = ['cpu', 'wasm', 'tensorflow']

/** Whether the current backend's tensors lie in the CPU's memory, so that a typed-array kernel can read them at once.
 *
 * WebGPU cannot be read synchronously in Node, and a GPU should not be waited for anywhere: there, operations are composed.
 */
export function canReadSynchronously(): boolean {
  return SYNCHRONOUS.includes(getBackend())
}
