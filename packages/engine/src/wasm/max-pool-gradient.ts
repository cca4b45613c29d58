import { backend_util } from '@tensorflow/tfjs-core'
import type { WasmKernel } from './wasm-kernel.js'
import { addressOf, wasmExports } from './wasm-module.js'

interface Attributes {
  filterSize: [number, number] | number
  strides: [number, number] | number
  pad: 'valid' | 'same' | number | backend_util.ExplicitPadding
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

/** Gradient of max pooling, in SIMD; of equal numbers in a window the first one gets it. */
export const maxPoolGradient: WasmKernel<'dy' | 'input' | 'output', Attributes> = ({
  inputs,
  attrs,
  backend,
}) => {
  const { dy, input } = inputs
  const { filterSize, strides, pad, dimRoundingMode } = attrs
  const info = backend_util.computePool2DInfo(
    input.shape as [number, number, number, number],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  )
  const dx = backend.makeOutput(input.shape, 'float32')
  wasmExports(backend).maxPoolGradient(
    addressOf(backend, input),
    info.batchSize,
    info.inHeight,
    info.inWidth,
    info.inChannels,
    addressOf(backend, dy),
    info.outHeight,
    info.outWidth,
    info.effectiveFilterHeight,
    info.effectiveFilterWidth,
    info.strideHeight,
    info.strideWidth,
    info.dilationHeight,
    info.dilationWidth,
    info.padInfo.top,
    info.padInfo.left,
    addressOf(backend, dx),
  )
  return dx
}
