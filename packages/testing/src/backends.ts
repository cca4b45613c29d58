import { initEngine } from '@facekit/engine'
// Registered from the start, so that a test can derive a backend of its own from them.
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-wasm'
import { ready, setBackend } from '@tensorflow/tfjs-core'

/** Backends on which a suite of tests can run. */
export type TestBackend = 'cpu' | 'wasm'

/** Backends that every machine has: use as `describe.each(testBackends)('on %s', (backend) => ...)`. */
export const testBackends: readonly TestBackend[] = ['cpu', 'wasm']

/** Makes a backend the current one; call it in `beforeAll`.
 *
 * The engine's backends are started as users get them, complete; any other name is one that the test registered itself.
 */
export async function useBackend(backend: string): Promise<void> {
  if (backend === 'cpu' || backend === 'wasm' || backend === 'webgpu') {
    await initEngine({ backend })
    return
  }
  if (!(await setBackend(backend))) throw new Error(`useBackend: ${backend} cannot be started`)
  await ready()
}
