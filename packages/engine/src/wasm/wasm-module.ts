import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { BackendError } from '@facekit/core'
import { wasmBinary } from './wasm-binary.js'

/** An address in WASM's memory, in bytes. */
export type Address = number

type Kernel = (...numbers: number[]) => number

/** What assembly/index.ts exports; its parameters are documented there. */
export type WasmExports = Record<
  | 'adam'
  | 'clamp'
  | 'columnSums'
  | 'convolve'
  | 'convolveScratch'
  | 'extremum'
  | 'factorsAndShifts'
  | 'filterGradient'
  | 'filterGradientScratch'
  | 'maskRows'
  | 'maxPoolGradient'
  | 'normalizationGradient'
  | 'packColumns'
  | 'packTransposed'
  | 'pool'
  | 'reluGradient'
  | 'rowSums'
  | 'scaleRows'
  | 'statistics',
  Kernel
>

/** What Emscripten puts around tfjs' WASM module. */
interface EmscriptenModule {
  HEAPU8: Uint8Array
  HEAPU32: Uint32Array
  HEAPF32: Float32Array
  /** Exports; the memory is one of them, unless threads share it. */
  asm: { memory?: WebAssembly.Memory }
  wasmMemory?: WebAssembly.Memory
  _malloc(bytes: number): number
  _free(address: Address): void
}

const modules = new WeakMap<BackendWasm, WasmExports>()
const memories: { memory: WebAssembly.Memory; backend: BackendWasm }[] = []

/** The compiled kernels, and the memory that they work on. */
export interface LoadedModule {
  module: WebAssembly.Module
  exports: WebAssembly.Exports
  memory: WebAssembly.Memory
  /** Whether threads can share the memory. */
  shared: boolean
}

let relaxedAllowed = true
let relaxedLoaded = false

/** Says whether the kernels that are loaded next may multiply and add in one instruction. */
export function allowRelaxedSimd(allowed: boolean): void {
  relaxedAllowed = allowed
}

/** Whether the kernels that were loaded last do so. */
export const hasRelaxedSimd = (): boolean => relaxedLoaded

/** Loads this package's own WASM kernels into the memory of tfjs' WASM backend. */
export async function loadWasmModule(backend: BackendWasm): Promise<LoadedModule> {
  const { asm, wasmMemory } = emscripten(backend)
  const memory = wasmMemory ?? asm.memory
  if (!memory) throw new Error('the memory of @tensorflow/tfjs-backend-wasm is not to be found')
  const shared = typeof SharedArrayBuffer === 'function' && memory.buffer instanceof SharedArrayBuffer
  const decode = (text: string) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  // V8 11.4 and later (Node 22, Chrome 114) multiply and add in one instruction.
  const relaxed = decode(shared ? wasmBinary.relaxedShared : wasmBinary.relaxedPlain)
  relaxedLoaded = relaxedAllowed && WebAssembly.validate(relaxed)
  const bytes = relaxedLoaded ? relaxed : decode(shared ? wasmBinary.shared : wasmBinary.plain)
  const { instance, module } = await WebAssembly.instantiate(bytes, { env: { memory } })
  modules.set(backend, instance.exports as WebAssembly.Exports & WasmExports)
  memories.push({ memory, backend })
  return { module, exports: instance.exports, memory, shared }
}

/** This package's own WASM kernels. */
export function wasmExports(backend: BackendWasm): WasmExports {
  const found = modules.get(backend)
  if (!found) {
    throw new BackendError(
      'wasm backend: it was started without initEngine; call `await initEngine({ backend: "wasm" })` before the first tensor',
    )
  }
  return found
}

/** The WASM backend in whose memory a typed array lies, if there is one. */
export function wasmBackendOf(buffer: ArrayBufferLike): BackendWasm | undefined {
  return memories.find(({ memory }) => memory.buffer === buffer)?.backend
}

/** What tfjs' build of Emscripten gives its module, beyond what its types say. */
export function emscripten(backend: BackendWasm): EmscriptenModule {
  return backend.wasm as unknown as EmscriptenModule
}

/** Where the numbers of a tensor lie. */
export function addressOf(backend: BackendWasm, tensor: TensorInfo): Address {
  return backend.getMemoryOffset(tensor.dataId)
}

/** Takes memory that is no tensor's. */
export function allocate(backend: BackendWasm, bytes: number): Address {
  const address = emscripten(backend)._malloc(bytes) >>> 0
  if (address === 0) throw new BackendError(outOfMemory(bytes))
  return address
}

/** What to say when WASM's memory is full. */
export function outOfMemory(bytes: number): string {
  return `wasm backend: out of memory for ${bytes} bytes; WebAssembly has 4 GB, use smaller batches or dispose of tensors`
}

/** Gives memory back that `allocate` took. */
export function release(backend: BackendWasm, address: Address): void {
  emscripten(backend)._free(address)
}

/** Lends memory for the time of a call. */
export function withScratch<T>(backend: BackendWasm, bytes: number, use: (address: Address) => T): T {
  const address = allocate(backend, bytes)
  try {
    return use(address)
  } finally {
    release(backend, address)
  }
}

/** A view of WASM's memory, valid until the next allocation. */
export function int32View(backend: BackendWasm, address: Address, length: number): Int32Array {
  return new Int32Array(emscripten(backend).HEAPU8.buffer, address, length)
}

/** Sets bytes of WASM's memory to 0. */
export function clear(backend: BackendWasm, address: Address, bytes: number): void {
  emscripten(backend).HEAPU8.fill(0, address, address + bytes)
}
