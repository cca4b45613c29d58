import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { floats } from './wasm-kernel.js'

/** How many taps of a filter's axis a phase sees: those at `remainder`, `remainder + stride`, ... */
export function taps(filter: number, stride: number, remainder: number): number {
  return Math.max(0, Math.ceil((filter - remainder) / stride))
}

// By backend, then by the data of the filter. A frozen network's filters are flipped, and packed by XNNPACK, only once.
const caches = new WeakMap<BackendWasm, WeakMap<object, Map<string, TensorInfo>>>()

function cacheOf(backend: BackendWasm): WeakMap<object, Map<string, TensorInfo>> {
  const known = caches.get(backend)
  if (known) return known
  const cache = new WeakMap<object, Map<string, TensorInfo>>()
  caches.set(backend, cache)
  // The copies go with their filter.
  const dispose = backend.disposeData.bind(backend)
  backend.disposeData = (dataId, force) => {
    const gone = dispose(dataId, force)
    const copies = gone ? cache.get(dataId) : undefined
    if (copies) {
      cache.delete(dataId)
      for (const copy of copies.values()) dispose(copy.dataId)
    }
    return gone
  }
  return cache
}

/** Every stride-th tap of a filter, flipped in height and width, with input and output channels swapped.
 *
 * @param filter - `[kh, kw, Cin, Cout]`
 * @returns `[taps, taps, Cout, Cin]`, owned by a cache until the filter's data is disposed
 */
export function flippedFilter(
  backend: BackendWasm,
  filter: TensorInfo,
  stride: { height: number; width: number },
  rowRemainder: number,
  columnRemainder: number,
): TensorInfo {
  const cache = cacheOf(backend)
  const copies = cache.get(filter.dataId) ?? new Map<string, TensorInfo>()
  cache.set(filter.dataId, copies)
  const key = [filter.shape, stride.height, stride.width, rowRemainder, columnRemainder].join()
  const known = copies.get(key)
  if (known) return known
  const [height, width, inputs, outputs] = filter.shape
  const tall = taps(height, stride.height, rowRemainder)
  const wide = taps(width, stride.width, columnRemainder)
  const copy = backend.makeOutput([tall, wide, outputs, inputs], 'float32')
  const [from, to] = [floats(backend, filter), floats(backend, copy)]
  for (let i = 0; i < tall; i++) {
    const ky = rowRemainder + (tall - 1 - i) * stride.height
    for (let j = 0; j < wide; j++) {
      const kx = columnRemainder + (wide - 1 - j) * stride.width
      const source = (ky * width + kx) * inputs * outputs
      const target = (i * wide + j) * inputs * outputs
      for (let c = 0; c < inputs; c++) {
        for (let o = 0; o < outputs; o++) to[target + o * inputs + c] = from[source + c * outputs + o]
      }
    }
  }
  copies.set(key, copy)
  return copy
}
