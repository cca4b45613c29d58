import { engine } from '@tensorflow/tfjs-core'
import type { BackendProvider } from './backend-provider.js'
import { instantiateBackend } from './instantiate-backend.js'

/** Plain JavaScript: slow, and works everywhere. */
export const cpuBackend: BackendProvider = {
  name: 'cpu',
  probe: async () => ({
    backend: 'cpu',
    available: true,
    reason: 'plain JavaScript works everywhere, about twenty times slower than WASM',
  }),
  start: async () => {
    await import('@tensorflow/tfjs-backend-cpu')
    await instantiateBackend('cpu')
    // On its first use in Node it would print an advertisement for another package.
    ;(engine().registry.cpu as unknown as { firstUse: boolean }).firstUse = false
    return {}
  },
}
