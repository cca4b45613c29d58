import { initEngine } from '@facekit/engine'
import {
  copyRegisteredKernels,
  findBackendFactory,
  ready,
  registerBackend,
  setBackend,
} from '@tensorflow/tfjs-core'

/** Backends on which a suite of tests can run. */
export type TestBackend = 'cpu' | 'wasm'

/** Backends that every machine has: use as `describe.each(testBackends)('on %s', (backend) => ...)`. */
export const testBackends: readonly TestBackend[] = ['cpu', 'wasm']

/** Makes a backend the current one, complete as users get it; call it in `beforeAll`.
 *
 * @param backend - one of the engine's, or `'device'`: the CPU backend under a name of its own, which code that distinguishes
 * backends takes for one whose memory cannot be read at once, as that of WebGPU
 */
export async function useBackend(backend: string): Promise<void> {
  await initEngine({ backend: backend === 'device' ? 'cpu' : (backend as TestBackend | 'webgpu') })
  if (backend !== 'device') return
  if (findBackendFactory('device') === null) {
    registerBackend('device', findBackendFactory('cpu'))
    copyRegisteredKernels('cpu', 'device')
  }
  if (!(await setBackend('device'))) throw new Error('useBackend: device cannot be started')
  await ready()
}
