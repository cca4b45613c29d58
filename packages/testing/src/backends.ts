import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'

/** Backends on which a suite of tests can run. */
export type TestBackend = 'cpu' | 'wasm'

/** Backends that every machine has: use as `describe.each(testBackends)('on %s', (backend) => ...)`. */
export const testBackends: readonly TestBackend[] = ['cpu', 'wasm']

/** Makes a backend the current one; call it in `beforeAll`.
 *
 * @param backend - a registered one, or `'device'`: the CPU backend under a name of its own, which code that distinguishes
 * backends takes for one whose memory cannot be read at once, as that of WebGPU
 */
export async function useBackend(backend: string): Promise<void> {
  if (backend === 'device' && tf.findBackendFactory('device') === null) {
    tf.registerBackend('device', tf.findBackendFactory('cpu'))
    tf.copyRegisteredKernels('cpu', 'device')
  }
  if (!(await tf.setBackend(backend))) throw new Error(`useBackend: ${backend} cannot be started`)
  await tf.ready()
}
