import { getBackend } from '@tensorflow/tfjs-core'

const BACKENDS: readonly string[] = ['webgpu', 'wasm', 'cpu']

/** Whether the current backend runs our own kernels fast: on others (TensorFlow, WebGL, other people's) compose operations. */
export const hasOwnKernels = (): boolean => BACKENDS.includes(getBackend())
