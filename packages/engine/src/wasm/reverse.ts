import { util } from '@tensorflow/tfjs-core'
import type { WasmKernel } from './wasm-kernel.js'
import { emscripten } from './wasm-module.js'

/** Reverse for WASM. The stock kernel computes the position of every number from scratch; here whole blocks of the
 * axes behind the last reversed one are copied. */
export const reverse: WasmKernel<'x', { dims: number[] }> = ({ inputs, attrs, backend }) => {
  const { x } = inputs
  const axes = util.parseAxisParam(attrs.dims, x.shape)
  const out = backend.makeOutput(x.shape, x.dtype)
  const bytes = util.bytesPerElement(x.dtype)
  const heap = emscripten(backend).HEAPU8
  const last = Math.max(-1, ...axes)
  const block = util.sizeFromShape(x.shape.slice(last + 1)) * bytes
  const source = backend.getMemoryOffset(x.dataId)
  let target = backend.getMemoryOffset(out.dataId)
  const strides = util.computeStrides([...x.shape.slice(0, last + 1), block])
  const copy = (axis: number, from: number) => {
    if (axis > last) {
      heap.copyWithin(target, from, from + block)
      target += block
      return
    }
    const size = x.shape[axis]
    const reversed = axes.includes(axis)
    for (let i = 0; i < size; i++) copy(axis + 1, from + (reversed ? size - 1 - i : i) * strides[axis])
  }
  if (x.shape.every((size) => size > 0)) copy(0, source)
  return out
}
