import { backend_util, type TensorInfo } from '@tensorflow/tfjs-core'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { gatherConvolution } from './convolution.js'
import { replaceWasmKernel } from './wasm-kernel.js'
import { addressOf, clear } from './wasm-module.js'

type Shape4D = [number, number, number, number]

interface Attributes {
  strides: [number, number] | number
  pad: 'valid' | 'same' | number | backend_util.ExplicitPadding
  dataFormat: 'NHWC' | 'NCHW'
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
  inputShape: Shape4D
}

/** Input rows (or columns) of one phase. */
interface Phase {
  /** First input position, and number of positions, `stride` apart. */
  start: number
  count: number
  /** What they see of the filter: position of a tap, and its shift in the output's gradient. */
  taps: { index: number; shift: number }[]
}

/** Replaces Conv2DBackpropInput of the WASM backend: the stock kernel is a plain loop.
 *
 * The gradient of a convolution with respect to its input is a convolution of the output's gradient with the flipped
 * filter, its channels swapped. With a stride s, the input pixels fall into s * s phases by their position modulo s; each
 * phase sees every s-th tap of the filter only, and is a small convolution without a stride.
 */
export function registerConv2dInputGradient(): void {
  replaceWasmKernel<'dy' | 'filter', Attributes>('Conv2DBackpropInput', (stock) => (args) => {
    const { inputs, attrs, backend } = args
    const { strides, pad, dimRoundingMode, inputShape, dataFormat } = attrs
    const filterShape = inputs.filter.shape as Shape4D
    if (dataFormat !== 'NHWC') return stock(args)
    const info = backend_util.computeConv2DInfo(inputShape, filterShape, strides, 1, pad, dimRoundingMode)
    return inputGradient(backend, inputs.dy, inputs.filter, info)
  })
}

function phases(input: number, filter: number, stride: number, padding: number): Phase[] {
  const result: Phase[] = []
  for (let remainder = 0; remainder < stride; remainder++) {
    const first = Math.ceil((padding - remainder) / stride)
    const last = Math.floor((padding + input - 1 - remainder) / stride)
    if (last < first || remainder >= filter) continue
    const taps = Array.from({ length: Math.ceil((filter - remainder) / stride) }, (_, j) => ({
      index: remainder + j * stride,
      shift: first - j,
    }))
    result.push({ start: first * stride + remainder - padding, count: last - first + 1, taps })
  }
  return result
}

function inputGradient(
  backend: BackendWasm,
  dy: TensorInfo,
  filter: TensorInfo,
  info: backend_util.Conv2DInfo,
): TensorInfo {
  const { batchSize, inHeight, inWidth, inChannels, filterHeight, filterWidth, padInfo } = info
  const { strideHeight, strideWidth } = info
  const out = backend.makeOutput([batchSize, inHeight, inWidth, inChannels], 'float32')
  const rows = phases(inHeight, filterHeight, strideHeight, padInfo.top)
  const columns = phases(inWidth, filterWidth, strideWidth, padInfo.left)
  // Filters smaller than the stride leave pixels unseen.
  const seen = rows.length === strideHeight && columns.length === strideWidth
  const nothing = dy.shape.includes(0)
  const size = batchSize * inHeight * inWidth * inChannels
  if (!seen || nothing) clear(backend, addressOf(backend, out), size * 4)
  if (nothing) return out
  const common = { x: dy, filter, direction: 'backward', strideHeight: 1, strideWidth: 1, out } as const
  for (const row of rows) {
    for (const column of columns) {
      const taps = row.taps.flatMap((y) =>
        column.taps.map((x) => ({ index: y.index * filterWidth + x.index, dy: y.shift, dx: x.shift })),
      )
      const grid = {
        height: row.count,
        width: column.count,
        first: (row.start * inWidth + column.start) * inChannels,
        picture: inHeight * inWidth * inChannels,
        row: strideHeight * inWidth * inChannels,
        column: strideWidth * inChannels,
      }
      gatherConvolution(backend, { ...common, taps, grid })
    }
  }
  return out
}
