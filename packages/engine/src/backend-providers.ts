import type { BackendProvider } from './backend-provider.js'
import { cpuBackend } from './cpu-backend.js'
import { wasmBackend } from './wasm-backend.js'

/** All backends, the fastest first. */
export const backendProviders: readonly BackendProvider[] = [wasmBackend, cpuBackend]
