import { util } from '@tensorflow/tfjs-core'
import type { WasmKernel } from './wasm-kernel.js'

/** Tile for WASM. The stock kernel computes the position of every number from scratch; here each axis is laid down once and
 * then copied as a block. */
export const tile: WasmKernel<'x', { reps: number[] }> = ({ inputs, attrs, backend }) => {
  const { x } = inputs
  const { reps } = attrs
  const shape = x.shape.map((size, axis) => size * reps[axis])
  const out = backend.makeOutput(shape, x.dtype)
  if (util.sizeFromShape(shape) === 0) return out
  type Numbers = Float32Array | Int32Array | Uint8Array
  const [from, to] = [x, out].map((tensor) => backend.typedArrayFromHeap(tensor) as Numbers)
  let read = 0
  let write = 0
  const last = x.shape.length - 1
  const lay = (axis: number): void => {
    const start = write
    if (axis > last) {
      to[write++] = from[read++]
      return
    }
    if (axis === last) for (let i = 0; i < x.shape[axis]; i++) to[write++] = from[read++]
    else for (let i = 0; i < x.shape[axis]; i++) lay(axis + 1)
    const length = write - start
    for (let k = 1; k < reps[axis]; k++, write += length) {
      if (length > 8) to.copyWithin(write, start, start + length)
      else for (let i = 0; i < length; i++) to[write + i] = to[start + i]
    }
  }
  lay(0)
  return out
}
