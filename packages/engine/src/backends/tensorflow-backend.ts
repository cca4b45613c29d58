import { engine, getBackend, setBackend } from '@tensorflow/tfjs-core'
import type { BackendProvider } from './backend-provider.js'
import { importOptional, isNode } from '../import-optional.js'
import { instantiateBackend } from './instantiate-backend.js'

const PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node']

const REMEDY = 'npm install @tensorflow/tfjs-node, or @tensorflow/tfjs-node-gpu where CUDA is'

/** TensorFlow's C library, in Node, when one of its packages is installed. Importing the package registers the backend. */
export const tensorflowBackend: BackendProvider = {
  name: 'tensorflow',
  probe: async () => {
    if (!isNode()) {
      return { backend: 'tensorflow', available: false, reason: 'TensorFlow runs in Node only' }
    }
    if (engine().registryFactory.tensorflow) {
      return { backend: 'tensorflow', available: true, reason: 'TensorFlow is registered with tfjs' }
    }
    const failures: string[] = []
    for (const name of PACKAGES) {
      try {
        if (await importQuietly(name)) {
          return { backend: 'tensorflow', available: true, reason: `${name} is installed` }
        }
      } catch (error) {
        failures.push(`${name} cannot be loaded: ${String((error as Error).message).split('\n')[0]}`)
      }
    }
    const reason = failures.join('; ') || 'neither of its packages is installed'
    return { backend: 'tensorflow', available: false, reason, remedy: REMEDY }
  },
  start: async () => {
    await instantiateBackend('tensorflow')
    return {}
  },
}

/** Imports a package. These make their backend the current one at once: that is undone. */
async function importQuietly(name: string): Promise<unknown> {
  const before: string | undefined = getBackend()
  try {
    return await importOptional(name)
  } finally {
    if (before && getBackend() !== before) await setBackend(before)
  }
}
