import { assertShape } from '@facekit/core'
import { concat, reshape, split, tidy, type Rank, type Tensor, type Tensor2D } from '@tensorflow/tfjs-core'
import { assertParameters } from './assert-parameters.js'
import type { FaceParameters, FaceParametersInput, ParameterLayout } from './face-parameters.js'
import { assertLayout, parameterParts, partShape, partSize, type ParameterName } from './parameter-parts.js'
import { parametersFromTensors, parameterTensors } from './parameter-tensors.js'

/** One named part of a packed parameter vector. */
export interface ParameterSegment {
  name: ParameterName
  /** First column. */
  offset: number
  /** Number of columns. */
  size: number
}

/** The parts of a packed parameter vector, in their order.
 *
 * @throws {ValueError} when a count is not a whole number of at least 0
 * @example
 * parameterSegments({ identity: 80, expression: 64, albedo: 80 }).at(-1) // { name: 'shininess', offset: 264, size: 1 }
 */
export function parameterSegments(layout: ParameterLayout): ParameterSegment[] {
  assertLayout('parameterSegments', layout)
  let offset = 0
  return parameterParts.map((part) => {
    const size = partSize(part, layout)
    offset += size
    return { name: part.name, offset: offset - size, size }
  })
}

/** Number of columns P of a packed parameter vector. */
export const parameterCount = (layout: ParameterLayout): number =>
  parameterSegments(layout).reduce((count, { size }) => count + size, 0)

/** Packs parameters side by side into one matrix.
 *
 * Order: that of {@link parameterParts}; spherical harmonics row by row.
 *
 * @returns `[B, P]`, P = `parameterCount(layout)`
 * @differentiable every parameter
 * @memory the caller owns the result
 * @throws {ShapeError} when batch sizes differ or a part has the wrong width
 */
export function packParameters(parameters: FaceParametersInput): Tensor2D {
  assertParameters('packParameters', parameters)
  return tidy(() => {
    const batch = parameters.identity.shape[0]
    const columns = parameterTensors(parameters)
      .filter(({ size }) => size > 0)
      .map((part) => (part.rank === 2 ? (part as Tensor2D) : reshape<Rank.R2>(part, [batch, -1])))
    return concat(columns, 1)
  })
}

/** Takes a matrix of `packParameters`, or the output of a regressor, apart.
 *
 * @param vector - `[B, P]`, P = `parameterCount(layout)`
 * @differentiable vector
 * @memory the caller owns the results
 * @throws {ShapeError} when P does not fit the layout
 */
export function unpackParameters(vector: Tensor, layout: ParameterLayout): FaceParameters {
  assertShape('unpackParameters: vector', vector, ['B', parameterCount(layout)])
  const sizes = parameterParts.map((part) => partSize(part, layout))
  // One split: its gradient is one concatenation, that of ten slices ten paddings and nine additions.
  const tensors = split(vector, sizes, 1).map((column, i) => {
    const shape = partShape(parameterParts[i], layout)
    if (shape.length === 1) return column
    const shaped = reshape(column, [vector.shape[0], ...shape])
    column.dispose()
    return shaped
  })
  return parametersFromTensors(tensors)
}
