import { backend_util, getKernel, type TensorInfo } from '@tensorflow/tfjs-core'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { flippedFilter, taps } from './flipped-filter.js'
import { floats, registerWasmKernel, runWasmKernel, type WasmKernel } from './wasm-kernel.js'

type Shape4D = [number, number, number, number]

interface Attributes {
  strides: [number, number] | number
  pad: 'valid' | 'same' | number | backend_util.ExplicitPadding
  dataFormat: 'NHWC' | 'NCHW'
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
  inputShape: Shape4D
}

/** Input rows (or columns) of one phase, and how its small convolution must be padded to give them. */
interface Phase {
  /** Remainder of (position + padding) by the stride. */
  remainder: number
  /** First input position, and number of positions, `stride` apart. */
  start: number
  count: number
  before: number
  after: number
}

/** Replaces Conv2DBackpropInput of the WASM backend: the stock kernel is a plain loop, a convolution runs on XNNPACK.
 *
 * The gradient of a convolution with respect to its input is a convolution of the output's gradient with the flipped
 * filter, its channels swapped. With a stride s, the input pixels fall into s * s phases by their position modulo s; each
 * phase sees every s-th tap of the filter only, and is a small convolution without a stride.
 */
export function registerConv2dInputGradient(): void {
  const stock = getKernel('Conv2DBackpropInput', 'wasm')
  const kernel: WasmKernel<'dy' | 'filter', Attributes> = (args) => {
    const { inputs, attrs, backend } = args
    const { strides, pad, dimRoundingMode, inputShape, dataFormat } = attrs
    const filterShape = inputs.filter.shape as Shape4D
    if (dataFormat !== 'NHWC') return stock.kernelFunc(args as never) as TensorInfo
    const info = backend_util.computeConv2DInfo(inputShape, filterShape, strides, 1, pad, dimRoundingMode)
    const { top, left } = info.padInfo
    const rows = phases(info.inHeight, info.outHeight, info.filterHeight, info.strideHeight, top)
    const columns = phases(info.inWidth, info.outWidth, info.filterWidth, info.strideWidth, left)
    return inputGradient(backend, inputs.dy, inputs.filter, info, rows, columns)
  }
  registerWasmKernel('Conv2DBackpropInput', kernel, stock)
}

function phases(input: number, output: number, filter: number, stride: number, padding: number): Phase[] {
  const result: Phase[] = []
  for (let remainder = 0; remainder < stride; remainder++) {
    const first = Math.ceil((padding - remainder) / stride)
    const last = Math.floor((padding + input - 1 - remainder) / stride)
    const size = taps(filter, stride, remainder)
    if (last < first || size === 0) continue
    const count = last - first + 1
    const before = size - 1 - first
    const after = count + size - 1 - before - output
    // All of its output saw nothing but padding: the gradient is 0, and a convolution of nothing fails without a word.
    if (output <= Math.max(0, -before) + Math.max(0, -after)) continue
    result.push({ remainder, start: first * stride + remainder - padding, count, before, after })
  }
  return result
}

function inputGradient(
  backend: BackendWasm,
  dy: TensorInfo,
  filter: TensorInfo,
  info: backend_util.Conv2DInfo,
  rows: Phase[],
  columns: Phase[],
): TensorInfo {
  const { strideHeight, strideWidth, batchSize, inHeight, inWidth, inChannels } = info
  const convolve = (row: Phase, column: Phase) => {
    const stride = { height: strideHeight, width: strideWidth }
    const flipped = flippedFilter(backend, filter, stride, row.remainder, column.remainder)
    const x = crop(backend, dy, row, column)
    const pad = [
      [0, 0],
      [Math.max(0, row.before), Math.max(0, row.after)],
      [Math.max(0, column.before), Math.max(0, column.after)],
      [0, 0],
    ]
    const attributes = { strides: 1, dilations: 1, pad, dataFormat: 'NHWC' }
    const result = runWasmKernel(backend, 'Conv2D', { x, filter: flipped }, attributes)
    if (x !== dy) backend.disposeData(x.dataId)
    return result
  }
  if (strideHeight === 1 && strideWidth === 1 && rows.length * columns.length === 1)
    return convolve(rows[0], columns[0])
  const out = backend.makeOutput([batchSize, inHeight, inWidth, inChannels], 'float32')
  floats(backend, out).fill(0)
  for (const row of rows) {
    for (const column of columns) {
      const part = convolve(row, column)
      const [from, to] = [floats(backend, part), floats(backend, out)]
      let source = 0
      for (let b = 0; b < batchSize; b++) {
        for (let i = 0; i < row.count; i++) {
          const y = b * inHeight + row.start + i * strideHeight
          for (let j = 0; j < column.count; j++) {
            const target = (y * inWidth + column.start + j * strideWidth) * inChannels
            for (let c = 0; c < inChannels; c++) to[target + c] = from[source++]
          }
        }
      }
      backend.disposeData(part.dataId)
    }
  }
  return out
}

/** Cuts off output pixels that see only padding: there are some when the padding is larger than the filter. */
function crop(backend: BackendWasm, dy: TensorInfo, row: Phase, column: Phase): TensorInfo {
  const cut = [row.before, row.after, column.before, column.after].map((padding) => Math.max(0, -padding))
  if (cut.every((count) => count === 0)) return dy
  const [batch, height, width, channels] = dy.shape
  const size = [batch, height - cut[0] - cut[1], width - cut[2] - cut[3], channels]
  return runWasmKernel(backend, 'Slice', { x: dy }, { begin: [0, cut[0], cut[2], 0], size })
}
