import { ShapeError } from '@facekit/core'
import type { NdArray } from 'ndarray'

/** Rows of numbers: an ndarray, or its numbers one after another. */
export type Values = NdArray<Float32Array> | Float32Array

/** The numbers of `[count, width]` rows, one after another.
 *
 * Takes a view without a copy where the ndarray is already laid out that way.
 *
 * @param who - function and argument, begins the message: `"encodeGlb: mesh.vertices"`
 * @param count - expected number of rows; absent: any
 * @throws {ShapeError} when the size does not fit
 */
export function flatValues(who: string, values: Values, width: number, count?: number): Float32Array {
  const fail = (actual: string): never => {
    throw new ShapeError(`${who} is ${actual}, expected [${count ?? 'N'}, ${width}]`)
  }
  if (values instanceof Float32Array) {
    if (values.length % width !== 0 || (count !== undefined && values.length !== count * width)) {
      fail(`${values.length} numbers`)
    }
    return values
  }
  if (!Array.isArray(values?.shape)) return fail(typeof values)
  const [rows, columns] = values.shape
  if (values.shape.length !== 2 || columns !== width || (count !== undefined && rows !== count)) {
    fail(`[${values.shape.join(', ')}]`)
  }
  if (values.stride[1] === 1 && values.stride[0] === width) {
    return values.data.subarray(values.offset, values.offset + rows * width)
  }
  const flat = new Float32Array(rows * width)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < width; j++) flat[i * width + j] = values.get(i, j)
  }
  return flat
}
