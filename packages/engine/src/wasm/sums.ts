import { backend_util, util } from '@tensorflow/tfjs-core'
import { registerWasmKernel, stockWasmKernel, type WasmKernel } from './wasm-kernel.js'
import { addressOf, wasmExports, withScratch } from './wasm-module.js'

interface Attributes {
  axis?: number | number[]
  keepDims?: boolean
}

/** Replaces Sum and Mean of the WASM backend where the summed axes are the first ones, as in batch normalisation and in every
 * gradient of a broadcast: the stock kernels transpose first. */
export function registerWasmSums(): void {
  for (const name of ['Sum', 'Mean']) {
    const stock = stockWasmKernel<'x', Attributes>(name)
    const kernel: WasmKernel<'x', Attributes> = (args) => {
      const { inputs, attrs, backend } = args
      const { x } = inputs
      const axes = [...util.parseAxisParam(attrs.axis ?? x.shape.map((_, axis) => axis), x.shape)].sort(
        (a, b) => a - b,
      )
      const first = axes.every((axis, i) => axis === i)
      const channels = util.sizeFromShape(x.shape.slice(axes.length))
      const size = util.sizeFromShape(x.shape)
      const useStock = !first || axes.length === 0 || channels === 1
      if (x.dtype !== 'float32' || (useStock && size > 0)) return stock.run(args)
      const [reduced] = backend_util.computeOutAndReduceShapes(x.shape, axes)
      const shape = attrs.keepDims ? backend_util.expandShapeToKeepDim(reduced, axes) : reduced
      const out = backend.makeOutput(shape, 'float32')
      if (size === 0) {
        // The stock kernel leaves what was in memory.
        backend.typedArrayFromHeap(out).fill(name === 'Sum' ? 0 : Number.NaN)
        return out
      }
      const rows = size / channels
      const factor = name === 'Sum' ? 1 : 1 / rows
      withScratch(backend, channels * 8, (scratch) => {
        const { columnSums } = wasmExports(backend)
        columnSums(addressOf(backend, x), rows, channels, factor, addressOf(backend, out), scratch)
      })
      return out
    }
    registerWasmKernel(name, kernel, stock.config)
  }
}
