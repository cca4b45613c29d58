import {
  getKernelsForBackend,
  util,
  type DataType,
  type KernelConfig,
  type NamedTensorInfoMap,
  type TensorInfo,
} from '@tensorflow/tfjs-core'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { BackendError } from '@facekit/core'
import { emscripten, outOfMemory } from './wasm-module.js'

/** Bits of a NaN that no computation gives and no sane input has: it marks results that have not been written. */
const UNWRITTEN = 0x7fa5c3d1

/** Makes failures of a started WASM backend errors. Stock, XNNPACK prints that it failed and what was in memory is the result, and
 * with the memory full, results go to address 0, over everything. */
export function watchWasmBackend(backend: BackendWasm): void {
  const module = emscripten(backend)
  // Emscripten's functions put themselves in the place of what is there when they are first called.
  module._free(module._malloc(4))
  const allocate = module._malloc
  module._malloc = (bytes) => {
    // More bytes than an address can say would become fewer.
    const address = bytes < 2 ** 32 ? allocate(bytes) : 0
    if (address === 0 && bytes > 0) throw new BackendError(outOfMemory(bytes))
    return address
  }
  const makeOutput = backend.makeOutput.bind(backend)
  backend.makeOutput = (shape, dtype: DataType, memoryOffset, values) => {
    const out = makeOutput(shape, dtype, memoryOffset, values)
    const given = memoryOffset !== undefined || (values !== undefined && values !== null)
    if (!given && dtype === 'float32') {
      const at = lastNumber(backend, out)
      if (at !== undefined) module.HEAPU32[at] = UNWRITTEN
    }
    return out
  }
}

/** Makes every kernel of the WASM backend that is registered now throw an error with its name when it fails. */
export function checkWasmKernels(): void {
  for (const config of getKernelsForBackend('wasm')) {
    const run = config.kernelFunc
    ;(config as { kernelFunc: KernelConfig['kernelFunc'] }).kernelFunc = (args) => {
      let result: TensorInfo | TensorInfo[]
      try {
        result = run(args)
      } catch (error) {
        if (!(error instanceof WebAssembly.RuntimeError)) throw error
        const cause = `it crashed (${error.message})`
        throw new BackendError(describe(config.kernelName, args.inputs, cause), { cause: error })
      }
      const backend = args.backend as BackendWasm
      const results = Array.isArray(result) ? result : [result]
      if (results.some((output) => isUnwritten(backend, output))) {
        for (const { dataId } of results) backend.disposeData(dataId)
        const cause = 'it wrote no result; what XNNPACK says about it is on the console'
        throw new BackendError(describe(config.kernelName, args.inputs, cause))
      }
      return result
    }
  }
}

function describe(name: string, inputs: NamedTensorInfoMap, cause: string): string {
  const shapes = Object.entries(inputs)
    .filter(([, tensor]) => tensor?.shape)
    .map(([key, tensor]) => `${key} [${tensor!.shape.join(', ')}]`)
  return `wasm backend: kernel ${name} failed for ${shapes.join(', ')}: ${cause}; look at the shapes, or try backend "cpu"`
}

/** Where a tensor's last number lies, in units of 4 bytes. */
function lastNumber(backend: BackendWasm, tensor: TensorInfo): number | undefined {
  const size = util.sizeFromShape(tensor.shape)
  return size === 0 ? undefined : backend.getMemoryOffset(tensor.dataId) / 4 + size - 1
}

function isUnwritten(backend: BackendWasm, tensor: TensorInfo): boolean {
  if (tensor.dtype !== 'float32') return false
  const at = lastNumber(backend, tensor)
  return at !== undefined && emscripten(backend).HEAPU32[at] === UNWRITTEN
}
