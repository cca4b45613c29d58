import type { BackendProvider } from './backend-provider.js'
import { cpuBackend } from './cpu-backend.js'
import { tensorflowBackend } from './tensorflow-backend.js'
import { wasmBackend } from './wasm-backend.js'
import { webgpuBackend } from './webgpu-backend.js'

/** All backends, the fastest first. */
export const backendProviders: readonly BackendProvider[] = [
  tensorflowBackend,
  webgpuBackend,
  wasmBackend,
  cpuBackend,
]
