import { engine, env } from '@tensorflow/tfjs-core'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import type { BackendProvider } from './backend-provider.js'
import { completeWasm } from '../wasm/complete-wasm.js'
import type { InitEngineOptions } from '../engine-info.js'
import { isNode } from '../import-optional.js'
import { instantiateBackend } from './instantiate-backend.js'
import { requestThreads, threadCount } from '../wasm/threads.js'
import { allowRelaxedSimd, hasRelaxedSimd } from '../wasm/wasm-module.js'
import { shippedWasmFiles, wasmFileFault } from './wasm-files.js'

const PATHS_REMEDY =
  'serve the .wasm files of @facekit/engine/dist and pass their folder as initEngine({ wasmPaths })'

const MEMORY_REMEDY =
  'raise the limit of the process (ulimit -v, or that of its container), or end other programs'

const UPDATE_REMEDY = 'use Node 20 or later, or a current browser'

// tfjs refuses new paths after a failed start, and needs none after a successful one.
let paths: InitEngineOptions['wasmPaths']

/** WebAssembly with SIMD, and with threads in Node and on pages that may share memory. */
export const wasmBackend: BackendProvider = {
  name: 'wasm',
  probe: async () => {
    if (typeof WebAssembly !== 'object') {
      return {
        backend: 'wasm',
        available: false,
        reason: 'this JavaScript engine has no WebAssembly',
        remedy: UPDATE_REMEDY,
      }
    }
    return { backend: 'wasm', available: true, reason: 'WebAssembly is here' }
  },
  start: async ({ wasmPaths, threads, relaxedSimd }) => {
    requestThreads(threads)
    allowRelaxedSimd(relaxedSimd ?? true)
    await completeWasm()
    const wasm = await import('@tensorflow/tfjs-backend-wasm')
    // In Node tfjs finds its files by itself.
    const wanted = wasmPaths ?? paths ?? (isNode() ? undefined : shippedWasmFiles())
    if (wanted !== undefined && wanted !== paths) {
      wasm.setWasmPaths(typeof wanted === 'string' ? wanted : { ...wanted })
      paths = wanted
    }
    if (!(await env().getAsync('WASM_HAS_SIMD_SUPPORT')))
      throw new Error(`this WebAssembly has no SIMD; ${UPDATE_REMEDY}`)
    try {
      await instantiateBackend('wasm')
    } catch (error) {
      // Emscripten rejects with a plain object, or with an error of the network.
      const message = String((error as { message?: unknown })?.message ?? error)
        .split('\n')[0]
        .replace(/\. Build with .*$/, '')
      if (/memory|out of bounds/i.test(message))
        throw new Error(`it gets no memory (${message}); ${MEMORY_REMEDY}`, { cause: error })
      const threaded = Boolean(await env().getAsync('WASM_HAS_MULTITHREAD_SUPPORT'))
      const cause = (paths && !isNode() && (await wasmFileFault(paths, threaded))) || message
      throw new Error(`its .wasm file cannot be loaded (${cause}); ${PATHS_REMEDY}`, { cause: error })
    }
    const count = threadCount(engine().registry.wasm as BackendWasm)
    const reason = `WebAssembly with SIMD, ${count === 1 ? 'one thread' : `${count} threads`}`
    return { simd: true, relaxedSimd: hasRelaxedSimd(), threads: count, reason }
  },
}
