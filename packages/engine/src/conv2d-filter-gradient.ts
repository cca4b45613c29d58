import { backend_util, type TensorInfo } from '@tensorflow/tfjs-core'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { BackendError } from '@facekit/core'
import { floats, runWasmKernel, type WasmKernel } from './wasm-kernel.js'

type Shape4D = [number, number, number, number]

interface Attributes {
  strides: [number, number] | number
  pad: 'valid' | 'same' | number | backend_util.ExplicitPadding
  dataFormat: 'NHWC' | 'NCHW'
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
  filterShape: Shape4D
}

/** Numbers of one unfolded picture matrix: more than this, and the batch is done in parts. */
const UNFOLDED_LIMIT = 1 << 24

/** Gradient of a convolution with respect to its filter, for WASM, which has none.
 *
 * One matrix product `[kh * kw * Cin, pixels] x [pixels, Cout]`, on the fast WASM kernel, which wants nothing transposed:
 * the picture is laid out channels first by the transpose kernel, then its rows are copied, shifted, into the matrix.
 */
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
  const rows = info.filterHeight * info.filterWidth * info.inChannels
  const pixels = info.outHeight * info.outWidth
  const part = Math.max(1, Math.min(info.batchSize, Math.floor(UNFOLDED_LIMIT / Math.max(1, rows * pixels))))
  let sum: TensorInfo | undefined
  for (let first = 0; first < info.batchSize; first += part) {
    const product = partialGradient(backend, x, dy, info, first, Math.min(part, info.batchSize - first))
    if (sum) {
      const added = runWasmKernel(backend, 'Add', { a: sum, b: product })
      backend.disposeData(sum.dataId)
      backend.disposeData(product.dataId)
      sum = added
    } else {
      sum = product
    }
  }
  if (!sum) {
    sum = backend.makeOutput(info.filterShape, 'float32')
    floats(backend, sum).fill(0)
  }
  return { ...sum, shape: [...info.filterShape] }
}

/** The gradient from `count` pictures, `[rows, Cout]`. */
function partialGradient(
  backend: BackendWasm,
  x: TensorInfo,
  dy: TensorInfo,
  info: backend_util.Conv2DInfo,
  first: number,
  count: number,
): TensorInfo {
  const { inHeight, inWidth, inChannels, outHeight, outWidth, outChannels } = info
  const whole = count === info.batchSize
  const slice = (tensor: TensorInfo) => {
    const [, height, width, channels] = tensor.shape
    const attributes = { begin: [first, 0, 0, 0], size: [count, height, width, channels] }
    return whole ? tensor : runWasmKernel(backend, 'Slice', { x: tensor }, attributes)
  }
  const [pictures, gradients] = [slice(x), slice(dy)]
  const planar = runWasmKernel(backend, 'Transpose', { x: pictures }, { perm: [3, 0, 1, 2] }) // [Cin, B, H, W]
  const rows = info.filterHeight * info.filterWidth * inChannels
  const pixels = count * outHeight * outWidth
  const unfolded = backend.makeOutput([rows, pixels], 'float32')
  unfold(floats(backend, planar), floats(backend, unfolded), info, count, inHeight, inWidth)
  const b: TensorInfo = { ...gradients, shape: [pixels, outChannels] }
  const attributes = { transposeA: false, transposeB: false }
  const product = runWasmKernel(backend, 'BatchMatMul', { a: unfolded, b }, attributes)
  for (const tensor of [planar, unfolded, ...(whole ? [] : [pictures, gradients])]) {
    backend.disposeData(tensor.dataId)
  }
  return product
}

/** Copies each plane once for each tap of the filter, shifted by it: row (tap, channel), column (picture, pixel). */
function unfold(
  planar: Float32Array,
  unfolded: Float32Array,
  info: backend_util.Conv2DInfo,
  count: number,
  height: number,
  width: number,
): void {
  const { filterHeight, filterWidth, inChannels, outHeight, outWidth, strideHeight, strideWidth } = info
  let target = 0
  for (let ky = 0; ky < filterHeight; ky++) {
    for (let kx = 0; kx < filterWidth; kx++) {
      const shift = kx - info.padInfo.left
      // Output columns whose input column lies inside of the picture.
      const begin = Math.min(outWidth, Math.max(0, Math.ceil(-shift / strideWidth)))
      const end = Math.max(begin, Math.min(outWidth, Math.floor((width - 1 - shift) / strideWidth) + 1))
      for (let plane = 0; plane < inChannels * count; plane++) {
        for (let oy = 0; oy < outHeight; oy++, target += outWidth) {
          const y = oy * strideHeight + ky - info.padInfo.top
          if (y < 0 || y >= height) {
            unfolded.fill(0, target, target + outWidth)
            continue
          }
          let from = (plane * height + y) * width + begin * strideWidth + shift
          for (let i = target; i < target + begin; i++) unfolded[i] = 0
          for (let i = target + begin; i < target + end; i++, from += strideWidth) unfolded[i] = planar[from]
          for (let i = target + end; i < target + outWidth; i++) unfolded[i] = 0
        }
      }
    }
  }
}
