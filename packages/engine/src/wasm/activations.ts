import { util } from '@tensorflow/tfjs-core'
import { registerWasmKernel } from './wasm-kernel.js'
import { addressOf, wasmExports } from './wasm-module.js'

/** Registers the SIMD kernel of a relu's gradient (see activation-gradient.ts), in place of its loop over typed arrays. */
export function registerWasmActivations(): void {
  registerWasmKernel<'dy' | 'y', { parameter: number }>(
    'FacekitReluGradient',
    ({ inputs, attrs, backend }) => {
      const { dy, y } = inputs
      const result = backend.makeOutput(y.shape, 'float32')
      const [from, of, to] = [dy, y, result].map((tensor) => addressOf(backend, tensor))
      wasmExports(backend).reluGradient(util.sizeFromShape(y.shape), from, of, attrs.parameter, to)
      return result
    },
  )
}
