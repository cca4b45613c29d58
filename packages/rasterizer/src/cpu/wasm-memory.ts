import { engine } from '@tensorflow/tfjs-core'
import type { HostArray } from '@facekit/kernels'
import { wasmBinary } from './wasm-binary.js'

/** An address in WASM's memory, in bytes. */
export type Address = number

type Kernel = (...numbers: number[]) => number

/** What assembly/index.ts exports; its parameters are documented there. */
export type WasmKernels = Record<WasmKernelName, Kernel>
type WasmKernelName =
  | 'barycentricsGradient'
  | 'clear'
  | 'classify'
  | 'interpolate'
  | 'markSpecial'
  | 'project'
  | 'projectSurface'
  | 'scan'
  | 'spreadToAttributes'
  | 'spreadToBarycentrics'

/** What Emscripten puts around tfjs' WASM module. */
interface EmscriptenModule {
  /** Exports; the memory is one of them, unless threads share it. */
  asm?: { memory?: WebAssembly.Memory }
  wasmMemory?: WebAssembly.Memory
  _malloc(bytes: number): number
  _free(address: Address): void
}

/** This package's own kernels in the memory of tfjs' WASM backend. */
export class WasmMemory {
  readonly kernels: WasmKernels
  private scratchAddress = 0
  private scratchSize = 0
  private readonly residents = new WeakMap<Int32Array, Address>()
  private readonly registry: FinalizationRegistry<Address>

  constructor(
    readonly memory: WebAssembly.Memory,
    private readonly module: EmscriptenModule,
  ) {
    const shared = typeof SharedArrayBuffer === 'function' && memory.buffer instanceof SharedArrayBuffer
    const text = shared ? wasmBinary.shared : wasmBinary.plain
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } })
    this.kernels = instance.exports as unknown as WasmKernels
    this.registry = new FinalizationRegistry((address) => module._free(address))
  }

  /** Memory for one call, kept for the next. Taking it may move all memory: look for addresses first, make views after. */
  scratch(bytes: number): Address {
    if (bytes > this.scratchSize) {
      this.module._free(this.scratchAddress)
      this.scratchSize = bytes
      this.scratchAddress = this.allocate(bytes)
    }
    return this.scratchAddress
  }

  /** A copy of indices that stays as long as they do. */
  resident(indices: Int32Array): Address {
    let address = this.residents.get(indices)
    if (address === undefined) {
      address = this.allocate(Math.max(4, indices.byteLength))
      this.integers(address, indices.length).set(indices)
      this.residents.set(indices, address)
      this.registry.register(indices, address)
    }
    return address
  }

  integers(address: Address, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, address, length)
  }

  floats(address: Address, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, address, length)
  }

  private allocate(bytes: number): Address {
    const address = this.module._malloc(bytes) >>> 0
    if (address === 0) {
      this.scratchSize = this.scratchAddress = 0
      throw new RangeError(
        `wasm backend: out of memory for ${bytes} bytes; dispose of tensors, or use smaller batches`,
      )
    }
    return address
  }
}

const known = new WeakMap<WebAssembly.Memory, WasmMemory | null>()

/** The memory of the current backend if it is tfjs' WASM backend, an array lies in it, and this machine has SIMD there. */
export function wasmMemoryOf(array: HostArray): WasmMemory | undefined {
  const { wasm: module } = engine().backend as { wasm?: EmscriptenModule }
  const memory = module?.wasmMemory ?? module?.asm?.memory
  if (module === undefined || memory === undefined || memory.buffer !== array.buffer) return undefined
  let found = known.get(memory)
  if (found === undefined) {
    try {
      found = new WasmMemory(memory, module)
    } catch {
      // No SIMD, or no compilation at once: the versions in TypeScript give the same numbers.
      found = null
    }
    known.set(memory, found)
  }
  return found ?? undefined
}
