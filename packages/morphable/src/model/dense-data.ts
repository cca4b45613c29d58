import type { NdArray } from 'ndarray'

/** The numbers of an array in row-major order: its own data where it already lies so, else a copy. */
export function denseData(array: NdArray<Float32Array>): Float32Array {
  const { shape, stride, offset, size, data } = array
  let expected = 1
  let dense = true
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] > 1 && stride[axis] !== expected) dense = false
    expected *= shape[axis]
  }
  if (dense) return data.subarray(offset, offset + size)
  const result = new Float32Array(size)
  const index = shape.map(() => 0)
  for (let i = 0; i < size; i++) {
    let position = offset
    for (let axis = 0; axis < index.length; axis++) position += index[axis] * stride[axis]
    result[i] = data[position]
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0
  }
  return result
}
