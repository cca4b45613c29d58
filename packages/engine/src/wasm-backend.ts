import { engine, env } from '@tensorflow/tfjs-core'
import type { BackendProvider } from './backend-provider.js'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { completeWasm } from './complete-wasm.js'
import type { InitEngineOptions } from './engine-info.js'
import { instantiateBackend } from './instantiate-backend.js'
import { loadWasmModule } from './wasm-module.js'

const PATHS_REMEDY =
  'serve the .wasm files of @tensorflow/tfjs-backend-wasm/dist and pass their folder as initEngine({ wasmPaths })'

// tfjs refuses new paths after a failed start, and needs none after a successful one.
let paths: InitEngineOptions['wasmPaths']

/** WebAssembly with SIMD, and with threads in browsers that allow shared memory. */
export const wasmBackend: BackendProvider = {
  name: 'wasm',
  probe: async () => {
    if (typeof WebAssembly !== 'object') {
      return {
        backend: 'wasm',
        available: false,
        reason: 'this JavaScript engine has no WebAssembly',
        remedy: 'use Node 20 or later, or a current browser',
      }
    }
    return { backend: 'wasm', available: true, reason: 'WebAssembly is here' }
  },
  start: async ({ wasmPaths }) => {
    await completeWasm()
    const wasm = await import('@tensorflow/tfjs-backend-wasm')
    if (wasmPaths !== undefined && wasmPaths !== paths) {
      wasm.setWasmPaths(typeof wasmPaths === 'string' ? wasmPaths : { ...wasmPaths })
      paths = wasmPaths
    }
    try {
      await instantiateBackend('wasm')
    } catch (error) {
      // Emscripten rejects with a plain object, or with an error of the network.
      const cause = String((error as { message?: unknown })?.message ?? error).split('\n')[0]
      throw new Error(`its .wasm file cannot be loaded (${cause}); ${PATHS_REMEDY}`, { cause: error })
    }
    await loadWasmModule(engine().registry.wasm as BackendWasm)
    const [simd, threads] = await Promise.all([
      env().getAsync('WASM_HAS_SIMD_SUPPORT'),
      env().getAsync('WASM_HAS_MULTITHREAD_SUPPORT'),
    ])
    const parts = [simd ? 'SIMD' : 'no SIMD', simd && threads ? 'threads' : 'one thread']
    return {
      simd: Boolean(simd),
      threads: Boolean(simd && threads),
      reason: `WebAssembly with ${parts.join(', ')}`,
    }
  },
}
