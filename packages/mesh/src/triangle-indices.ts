import type { Tensor2D } from '@tensorflow/tfjs-core'
import { assertDataType, assertShape, BackendError, ShapeError, ValueError } from '@facekit/core'

/** Triangles of a mesh: flat `[F * 3]` vertex indices, or an int32 tensor `[F, 3]`. */
export type Triangles = Int32Array | Tensor2D

/** Smallest and largest index of arrays that were checked before. */
const ranges = new WeakMap<Int32Array, { minimum: number; maximum: number }>()
const downloads = new WeakMap<Tensor2D, Int32Array>()

/** Triangles as a flat array, with every index checked. The check is done once for each array.
 *
 * @throws {ShapeError} when it is not `[F * 3]` or `[F, 3]`, or not of whole numbers
 * @throws {ValueError} when an index is not one of the mesh's vertices
 */
export function triangleIndices(who: string, triangles: Triangles, vertexCount: number): Int32Array {
  const indices = triangles instanceof Int32Array ? triangles : download(who, triangles)
  if (indices.length % 3 !== 0) {
    throw new ShapeError(`${who}: triangles has ${indices.length} indices, expected a multiple of 3`)
  }
  let range = ranges.get(indices)
  if (range === undefined) {
    range = { minimum: 0, maximum: -1 }
    for (const index of indices) {
      if (index < range.minimum) range.minimum = index
      if (index > range.maximum) range.maximum = index
    }
    ranges.set(indices, range)
  }
  if (range.minimum < 0 || range.maximum >= vertexCount) {
    const wrong = range.minimum < 0 ? range.minimum : range.maximum
    throw new ValueError(`${who}: triangles has the index ${wrong}, the mesh has ${vertexCount} vertices`)
  }
  return indices
}

function download(who: string, triangles: Tensor2D): Int32Array {
  assertShape(`${who}: triangles`, triangles, ['F', 3], {}, 'or an Int32Array of F * 3 indices')
  assertDataType(`${who}: triangles`, triangles, 'int32')
  let indices = downloads.get(triangles)
  if (indices === undefined) {
    try {
      indices = Int32Array.from(triangles.dataSync())
    } catch (error) {
      throw new BackendError(
        `${who}: triangles cannot be read on this backend (${(error as Error).message}); pass an Int32Array`,
      )
    }
    downloads.set(triangles, indices)
  }
  return indices
}
