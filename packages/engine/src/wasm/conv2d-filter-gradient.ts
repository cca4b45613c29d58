import { backend_util } from '@tensorflow/tfjs-core'
import { BackendError } from '@facekit/core'
import { convolutionTaps, parallelParts, withTaps } from './convolution.js'
import { addressOf, clear, wasmExports } from './wasm-module.js'
import type { WasmKernel } from './wasm-kernel.js'
import { shareTasks } from './threads.js'

type Shape4D = [number, number, number, number]

interface Attributes {
  strides: [number, number] | number
  pad: 'valid' | 'same' | number | backend_util.ExplicitPadding
  dataFormat: 'NHWC' | 'NCHW'
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
  filterShape: Shape4D
}

/** Gradient of a convolution with respect to its filter, for WASM, which has none: a matrix product for every tap,
 * `[Cin, pixels] x [pixels, Cout]`, whose blocks are gathered from the shifted picture. */
export const conv2dFilterGradient: WasmKernel<'x' | 'dy', Attributes> = ({ inputs, attrs, backend }) => {
  const { x, dy } = inputs
  const { strides, pad, dimRoundingMode, filterShape, dataFormat } = attrs
  if (dataFormat !== 'NHWC') {
    throw new BackendError(
      `Conv2DBackpropFilter: the layout is ${dataFormat}, the wasm backend has NHWC only; transpose the pictures`,
    )
  }
  const info = backend_util.computeConv2DInfo(
    x.shape as Shape4D,
    filterShape,
    strides,
    1,
    pad,
    dimRoundingMode,
  )
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels } = info
  const out = backend.makeOutput(info.filterShape, 'float32')
  const taps = convolutionTaps(info)
  if (batchSize * outHeight * outWidth === 0) {
    clear(backend, addressOf(backend, out), taps.length * inChannels * outChannels * 4)
    return out
  }
  const { filterGradient, filterGradientScratch } = wasmExports(backend)
  const bytes = filterGradientScratch(inChannels, outChannels)
  const products = batchSize * outHeight * outWidth * taps.length * inChannels * outChannels
  const parts = parallelParts(backend, products)
  withTaps(backend, taps, inChannels, parts === 1 ? bytes : 0, (tapsAt, zeros, scratch) => {
    const picture = [addressOf(backend, x), inHeight, inWidth, inChannels, zeros, tapsAt]
    const pixels = [batchSize, outHeight, outWidth, info.strideHeight, info.strideWidth]
    const [from, to] = [addressOf(backend, dy), addressOf(backend, out)]
    if (parts === 1) {
      filterGradient(...picture, 0, taps.length, ...pixels, from, outChannels, outChannels, to, scratch)
      return
    }
    const tapTasks = Math.min(parts, taps.length)
    const tapsAtOnce = Math.ceil(taps.length / tapTasks)
    const outputsAtOnce = Math.ceil(outChannels / Math.ceil(parts / tapTasks) / 8) * 8
    const tasks = Math.ceil(taps.length / tapsAtOnce) * Math.ceil(outChannels / outputsAtOnce)
    shareTasks(backend, 'filterGradient', tasks, bytes, [
      ...picture,
      taps.length,
      ...pixels,
      from,
      outChannels,
      to,
      0,
      tapsAtOnce,
      outputsAtOnce,
    ])
  })
  return out
}
