import { backend_util } from '@tensorflow/tfjs-core'
import { replaceWasmKernel } from './wasm-kernel.js'
import { addressOf, wasmExports } from './wasm-module.js'

interface Attributes {
  filterSize: [number, number] | number
  strides: [number, number] | number
  pad: 'valid' | 'same' | number | backend_util.ExplicitPadding
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

/** Replaces MaxPool and AvgPool of the WASM backend: XNNPACK's make NaN a number. */
export function registerWasmPools(): void {
  for (const name of ['MaxPool', 'AvgPool']) {
    replaceWasmKernel<'x', Attributes>(name, (stock) => (args) => {
      const { inputs, attrs, backend } = args
      const { x } = inputs
      if (x.dtype !== 'float32') return stock(args)
      const { filterSize, strides, pad, dimRoundingMode } = attrs
      const shape = x.shape as [number, number, number, number]
      const info = backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode)
      const out = backend.makeOutput(info.outShape, 'float32')
      wasmExports(backend).pool(
        addressOf(backend, x),
        info.batchSize,
        info.inHeight,
        info.inWidth,
        info.inChannels,
        addressOf(backend, out),
        info.outHeight,
        info.outWidth,
        info.filterHeight,
        info.filterWidth,
        info.strideHeight,
        info.strideWidth,
        info.padInfo.top,
        info.padInfo.left,
        Number(name === 'AvgPool'),
      )
      return out
    })
  }
}
