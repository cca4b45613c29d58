import { util, type TensorInfo } from '@tensorflow/tfjs-core'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { registerWasmKernel, replaceWasmKernel } from './wasm-kernel.js'
import { addressOf, wasmExports } from './wasm-module.js'

interface FusedAttributes {
  activation?: string
}

/** Activations that XNNPACK does by clamping, for which NaN is a small number. */
const RANGES: Record<string, [low: number, high: number] | undefined> = {
  relu: [0, Infinity],
  relu6: [0, 6],
}

/** Replaces what clamps numbers on the WASM backend, so that NaN stays NaN: Relu6, ClipByValue, and the activations relu and relu6 of
 * `_FusedMatMul` and FusedDepthwiseConv2D. */
export function registerWasmClamps(): void {
  registerWasmKernel<'x', unknown>('Relu6', ({ inputs: { x }, backend }) => clamped(backend, x, 0, 6))
  replaceWasmKernel<'x', { clipValueMin: number; clipValueMax: number }>('ClipByValue', (stock) => (args) => {
    const { inputs, attrs, backend } = args
    if (inputs.x.dtype !== 'float32') return stock(args)
    return clamped(backend, inputs.x, attrs.clipValueMin, attrs.clipValueMax)
  })
  for (const name of ['_FusedMatMul', 'FusedDepthwiseConv2D']) {
    replaceWasmKernel<string, FusedAttributes>(name, (stock) => (args) => {
      const range = RANGES[args.attrs.activation ?? 'linear']
      if (!range) return stock(args)
      const sum = stock({ ...args, attrs: { ...args.attrs, activation: 'linear' } })
      clampInto(args.backend, sum, ...range, sum)
      return sum
    })
  }
}

function clamped(backend: BackendWasm, x: TensorInfo, low: number, high: number): TensorInfo {
  const result = backend.makeOutput(x.shape, 'float32')
  clampInto(backend, x, low, high, result)
  return result
}

function clampInto(backend: BackendWasm, x: TensorInfo, low: number, high: number, result: TensorInfo): void {
  const [from, to] = [x, result].map((tensor) => addressOf(backend, tensor))
  wasmExports(backend).clamp(util.sizeFromShape(x.shape), from, low, high, to)
}
