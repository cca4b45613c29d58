import type { BaseModelFile } from './base-model-file.js'

/** Each vertex as a weighted sum of control vertices: Loop subdivision, twice. */
export interface Stencils {
  starts: Int32Array
  vertices: Int32Array
  weights: Float32Array
}

/** Reads the stencils; the weights of each row are made to add up to one. */
export function readStencils(file: BaseModelFile): Stencils {
  const starts = file.indices('stencil_vertices_starts')
  const weights = file.floats('stencil_weights')
  for (let row = 0; row + 1 < starts.length; row++) {
    let sum = 0
    for (let k = starts[row]; k < starts[row + 1]; k++) sum += weights[k]
    for (let k = starts[row]; k < starts[row + 1]; k++) weights[k] /= sum
  }
  return { starts, vertices: file.indices('stencil_vertices'), weights }
}

/** Subdivides fields on the control vertices.
 *
 * @param control - `[K, controlCount, 3]`
 * @param end - vertices from here on stay zero
 * @returns `[K, N, 3]`
 */
export function applyStencils(
  stencils: Stencils,
  control: Float32Array,
  count: number,
  end?: number,
): Float32Array {
  const { starts, vertices, weights } = stencils
  const vertexCount = starts.length - 1
  const controlSize = control.length / count
  const result = new Float32Array(count * vertexCount * 3)
  const last = end ?? vertexCount
  for (let k = 0; k < count; k++) {
    const from = k * controlSize
    let to = k * vertexCount * 3
    for (let row = 0; row < last; row++, to += 3) {
      let x = 0
      let y = 0
      let z = 0
      for (let s = starts[row]; s < starts[row + 1]; s++) {
        const at = from + vertices[s] * 3
        const weight = weights[s]
        x += weight * control[at]
        y += weight * control[at + 1]
        z += weight * control[at + 2]
      }
      result[to] = x
      result[to + 1] = y
      result[to + 2] = z
    }
  }
  return result
}
