import type { BackendSpeed } from './backends/measure-backend.js'

/** Backends that the engine knows, the fastest first: the order in which `auto` tries them. */
export const backendNames = ['tensorflow', 'webgpu', 'wasm', 'cpu'] as const

/** Name of a TensorFlow.js backend. */
export type BackendName = (typeof backendNames)[number]

/** What networks compute in: `'mixed'` is 16 bits for activations, their gradients and products, 32 for all else. */
export type Precision = 'float32' | 'mixed'

/** What does the computing of the WebGPU backend. */
export interface AdapterReport {
  vendor: string
  architecture: string
  device: string
  description: string
  /** True for SwiftShader, llvmpipe and the like: a CPU that plays the part of a GPU. */
  software: boolean
}

/** How much memory a backend has. */
export interface BackendMemory {
  bytes: number
  /** Of what these bytes are the limit. */
  of: 'the system' | 'WebAssembly' | 'one GPU buffer'
}

/** Whether a backend works here, and what to do if it does not. */
export interface BackendReport {
  backend: BackendName
  /** True when the backend can compute here. */
  available: boolean
  /** What was found, in a few words. */
  reason: string
  /** What to install or change to get it, or to get more of it. */
  remedy?: string
  /** Where it is known. */
  memory?: BackendMemory
  /** `inspectBackends({ measure: true })` only. */
  speed?: BackendSpeed
  /** WebGPU only. */
  adapter?: AdapterReport
  /** Where mixed precision was asked for: what there is. */
  precision?: Precision
  /** Where mixed precision was asked for: what computes it, or why there is none. */
  precisionReason?: string
  /** WASM only: whether its kernels use SIMD. */
  simd?: boolean
  /** WASM only: whether they multiply and add in one instruction, which rounds once. */
  relaxedSimd?: boolean
  /** WASM only: how many threads share convolutions and their gradients. */
  threads?: number
}

/** The backend that runs, and why this one. */
export interface EngineInfo {
  backend: BackendName
  /** Why this backend, in a few words. */
  reason: string
  /** WebGPU only. */
  adapter?: AdapterReport
  precision: Precision
  /** Where mixed precision was asked for: what computes it, or why there is none. */
  precisionReason?: string
  /** WASM only: whether its kernels use SIMD. */
  simd?: boolean
  /** WASM only: whether they multiply and add in one instruction, which rounds once. */
  relaxedSimd?: boolean
  /** WASM only: how many threads share convolutions and their gradients. */
  threads?: number
  /** Every backend that was looked at on the way to this one, in that order; the last one is the one that runs. */
  considered: readonly BackendReport[]
}

/** Options of `initEngine`. */
export interface InitEngineOptions {
  /** The backend to run, or `'auto'` for the fastest one that works here. Default: what an earlier call chose, else
   * `'auto'`. */
  backend?: BackendName | 'auto'
  /** Backends that `'auto'` may choose. Default: all of them. */
  candidates?: readonly BackendName[]
  /** What networks compute in. Default: what an earlier call chose, else `'float32'`.
   *
   * `'mixed'`, on WebGPU: convolutions and their gradients multiply numbers of 16 bits on the GPU's matrix units and add up in 32; what
   * they give, and what batch normalisation, activations, pooling and sums make of it, lies in memory as 16 bits, and so do its gradients.
   * Weights, statistics, losses, all other products and the optimiser stay at 32: files of weights and checkpoints are the same. Gradients are scaled,
   * so that small ones are not lost: see `lossScaling`. Where there are no such units (they are experimental in WebGPU: NVIDIA GPUs in Node today), or
   * where they compute a known product wrong, it is `'float32'`, and `precisionReason` of the result says why.
   *
   * In Node it takes effect before the first look for a GPU; once it was asked for then, every call may switch. */
  precision?: Precision
  /** Threads of the WASM backend: 1 for none besides the calling one. Default: one for each core, 16 at most. In browsers only pages that are
   * cross-origin isolated have them. Takes effect before the WASM backend's first start. */
  threads?: number
  /** Whether the WASM backend may multiply and add in one instruction where the JavaScript engine can (relaxed SIMD: Node 22 and later, Chromium), which
   * takes a quarter off convolutions, products and training. Default: true. `false` for the same bits on every machine: then products are rounded before they are
   * added, everywhere. Takes effect before the WASM backend's first start. */
  relaxedSimd?: boolean
  /** Where the `.wasm` files of this package are: the URL of a folder, ending in a slash, or the URL of each file by its name.
   * Default: beside the package's code, which Node and the bundlers that understand `new URL(..., import.meta.url)` (Vite,
   * webpack, Next; not esbuild) find by themselves. Takes effect before the WASM backend's first start. */
  wasmPaths?: string | Readonly<Record<string, string>>
  /** WebGPU in Node: flags for Dawn, such as `enable-dawn-features=allow_unsafe_apis,disable_robustness`, which drops the bounds
   * checks of shaders. Features add to those that the engine sets. Take effect before the first look for a GPU. */
  dawnFlags?: readonly string[]
}
