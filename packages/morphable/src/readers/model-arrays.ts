import { ModelFormatError } from '@facekit/core'
import ndarray, { type NdArray } from 'ndarray'
import { denseData } from '../model/dense-data.js'
import { firstNotFinite } from '../model/first-not-finite.js'

/** Numbers with a shape: an ndarray, `{ shape, data }`, or a flat list whose shape can be told from its length. */
export type ArrayOf =
  | NdArray<Float32Array | Float64Array | Int32Array | Uint32Array | number[]>
  | { shape: readonly number[]; data: ArrayLike<number> }
  | ArrayLike<number>

/** Shape, if known, and numbers in row-major order. */
function unpack(array: ArrayOf): { shape: readonly number[] | undefined; data: ArrayLike<number> } {
  if ('stride' in array) {
    return { shape: array.shape, data: denseData(array as NdArray<Float32Array>) }
  }
  if ('shape' in array) return { shape: array.shape, data: array.data }
  return { shape: undefined, data: array }
}

const describe = (array: { shape?: readonly number[] | undefined; data: ArrayLike<number> }) =>
  `[${(array.shape ?? [array.data.length]).join(', ')}]`

/** `[N, width]` or flat, as a flat Float32Array of finite numbers.
 *
 * @throws {ModelFormatError}
 */
export function rowsOf(
  who: string,
  name: string,
  array: ArrayOf,
  width: number,
  count?: number,
): Float32Array {
  const { shape, data } = unpack(array)
  const flat = shape === undefined || (shape.length === 1 && shape[0] === data.length)
  const fits = flat || (shape.length === 2 && shape[1] === width) || isVector(shape)
  const rows = data.length / width
  if (!fits || !Number.isInteger(rows) || rows === 0 || (count !== undefined && rows !== count)) {
    throw new ModelFormatError(
      `${who}: ${name} is ${describe({ shape, data })}, expected [${count ?? 'N'}, ${width}]`,
    )
  }
  const result = new Float32Array(data)
  checkFinite(who, name, result)
  return result
}

const isVector = (shape: readonly number[]) => shape.filter((size) => size !== 1).length <= 1

function checkFinite(who: string, name: string, data: Float32Array): void {
  const i = firstNotFinite(data)
  if (i >= 0) {
    throw new ModelFormatError(`${who}: ${name} holds ${data[i]} at position ${i}, expected finite numbers`)
  }
}

/** Modes in any of the usual orders as `[K, N, 3]`; none: `[0, N, 3]`. Those that lie so already are not copied.
 *
 * @throws {ModelFormatError} when the shape is none of `[K, N, 3]`, `[N, 3, K]`, `[K, 3N]`, `[3N, K]`
 */
export function arrangeModes(
  who: string,
  name: string,
  array: ArrayOf | undefined,
  count: number,
): NdArray<Float32Array> {
  if (!array) return ndarray(new Float32Array(0), [0, count, 3])
  const { shape, data } = unpack(array)
  const size = count * 3
  const modes = data.length / size
  const fail = () =>
    new ModelFormatError(
      `${who}: ${name} is ${describe({ shape, data })}, expected [K, ${count}, 3], [${count}, 3, K], [K, ${size}] or [${size}, K]`,
    )
  if (!Number.isInteger(modes)) throw fail()
  const is = (...sizes: number[]) => shape?.length === sizes.length && shape.every((n, i) => n === sizes[i])
  const first = shape === undefined || is(data.length) || is(modes, count, 3) || is(modes, size)
  const last = is(count, 3, modes) || is(size, modes)
  if (!first && !last) throw fail()
  let result: Float32Array
  if (first) {
    result = data instanceof Float32Array ? data : Float32Array.from(data)
  } else {
    result = new Float32Array(data.length)
    for (let i = 0; i < size; i++) {
      for (let k = 0; k < modes; k++) result[k * size + i] = data[i * modes + k]
    }
  }
  checkFinite(who, name, result)
  return ndarray(result, [modes, count, 3])
}

/** Indices as a flat Int32Array, each from `lowest` to `count - 1`.
 *
 * @throws {ModelFormatError}
 */
export function flatIndices(
  who: string,
  name: string,
  array: ArrayOf,
  width: number,
  count: number,
  lowest = 0,
): Int32Array {
  const { shape, data } = unpack(array)
  const fits = shape === undefined || width === 1 || shape.length === 1 || shape[shape.length - 1] === width
  if (!fits || data.length % width !== 0) {
    throw new ModelFormatError(`${who}: ${name} is ${describe({ shape, data })}, expected [F, ${width}]`)
  }
  const result = new Int32Array(data.length)
  for (let i = 0; i < data.length; i++) {
    const value = data[i]
    if (!Number.isInteger(value) || value < lowest || value >= count) {
      throw new ModelFormatError(
        `${who}: ${name} names vertex ${value}, expected whole numbers from ${lowest} to ${count - 1}`,
      )
    }
    result[i] = value
  }
  return result
}
