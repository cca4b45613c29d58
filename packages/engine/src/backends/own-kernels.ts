import { getBackend } from '@tensorflow/tfjs-core'

/** Where kernels of ours run fast: by the names of backends. */
const PLACES: Record<string, 'gpu' | 'host' | undefined> = { webgpu: 'gpu', wasm: 'host', cpu: 'host' }

/** Where the current backend runs our own kernels fast.
 *
 * @returns undefined on other backends (TensorFlow, WebGL, those of other people): there, compose operations
 */
export const kernelPlace = (): 'gpu' | 'host' | undefined => PLACES[getBackend()]

/** Whether the current backend runs our own kernels fast. */
export const hasOwnKernels = (): boolean => kernelPlace() !== undefined
