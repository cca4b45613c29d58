import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { addressOf, allocate, release, wasmExports, type Address } from './wasm-module.js'
import { memoryParts, shareTasks } from './threads.js'

/** A tap of a filter: where it lies in the filter, and what it sees: the input pixel at `(y * stride + dy, x * stride + dx)`. */
export interface Tap {
  index: number
  dy: number
  dx: number
}

// By backend, then by the data of the filter: a frozen network's filters are packed only once. Data never changes in tfjs: a
// variable that is assigned gets new data.
const caches = new WeakMap<BackendWasm, WeakMap<object, Map<string, Address>>>()

function cacheOf(backend: BackendWasm): WeakMap<object, Map<string, Address>> {
  const known = caches.get(backend)
  if (known) return known
  const cache = new WeakMap<object, Map<string, Address>>()
  caches.set(backend, cache)
  const dispose = backend.disposeData.bind(backend)
  backend.disposeData = (dataId, force) => {
    const gone = dispose(dataId, force)
    if (gone) forgetPackedFilters(backend, dataId)
    return gone
  }
  return cache
}

/** Drops what was packed from a filter: whoever writes new numbers into a tensor's data must call it. */
export function forgetPackedFilters(backend: BackendWasm, dataId: object): void {
  const cache = caches.get(backend)
  const packed = cache?.get(dataId)
  if (!packed) return
  cache!.delete(dataId)
  for (const address of packed.values()) release(backend, address)
}

/** Some taps of a filter as the right side of a matrix product, in panels of 8 columns.
 *
 * @param filter - `[kh, kw, Cin, Cout]`
 * @param direction - `forward`: rows (tap, Cin), columns Cout; `backward`: rows (tap, Cout), columns Cin
 * @returns an address that a cache owns until the filter's data is disposed
 */
export function packedFilter(
  backend: BackendWasm,
  filter: TensorInfo,
  taps: readonly Tap[],
  direction: 'forward' | 'backward',
): Address {
  const cache = cacheOf(backend)
  const packs = cache.get(filter.dataId) ?? new Map<string, Address>()
  cache.set(filter.dataId, packs)
  const [height, width, inputs, outputs] = filter.shape
  const all = taps.length === height * width
  const key = [direction, filter.shape, all ? 'all' : taps.map(({ index }) => index)].join()
  const known = packs.get(key)
  if (known !== undefined) return known
  const forward = direction === 'forward'
  const [deep, columns] = forward ? [inputs, outputs] : [outputs, inputs]
  const panelBytes = taps.length * deep * 32
  const packed = allocate(backend, Math.max(32, Math.ceil(columns / 8) * panelBytes))
  const from = addressOf(backend, filter)
  const tapBytes = inputs * outputs * 4
  const parts = memoryParts(backend, taps.length * inputs * outputs)
  if (parts > 1 && all && taps.every(({ index }, i) => index === i)) {
    const groups = Math.ceil(parts / taps.length)
    const columnsAtOnce = Math.ceil(columns / groups / 8) * 8
    const tasks = taps.length * Math.ceil(columns / columnsAtOnce)
    const matrix = [from, packed, deep, columns, outputs * 4, panelBytes, tapBytes]
    shareTasks(backend, 'pack', tasks, 0, [...matrix, Number(!forward), columnsAtOnce])
  } else {
    const pack = wasmExports(backend)[forward ? 'packColumns' : 'packTransposed']
    for (const [i, { index }] of taps.entries()) {
      pack(from + index * tapBytes, packed + i * deep * 32, deep, columns, outputs * 4, panelBytes)
    }
  }
  packs.set(key, packed)
  return packed
}
