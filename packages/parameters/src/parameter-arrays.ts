import { ShapeError } from '@facekit/core'
import { tensor, type Rank } from '@tensorflow/tfjs-core'
import { assertParameters } from './assert-parameters.js'
import type {
  FaceParameters,
  FaceParametersInput,
  ParameterLayout,
  ParameterTree,
} from './face-parameters.js'
import { parameterParts, parameterPath, partShape, partSize } from './parameter-parts.js'
import { parametersFromTensors, parameterTensors } from './parameter-tensors.js'
import { buildParameters, partOf } from './parameter-tree.js'

/** Reads parameters into plain arrays.
 *
 * @returns for each face of the batch its numbers, row by row
 * @throws {ShapeError} when a part does not have the shape of {@link FaceParameters}
 * @example
 * const [face] = await readParameters(neutralParameters(model.layout))
 * face.pose.scale // Float32Array [1]
 */
export async function readParameters(
  parameters: FaceParametersInput,
): Promise<ParameterTree<Float32Array>[]> {
  assertParameters('readParameters', parameters)
  const data = await Promise.all(parameterTensors(parameters).map((part) => part.data()))
  const values = new Map<string, ArrayLike<number>>(parameterParts.map(({ name }, i) => [name, data[i]]))
  const batch = parameters.identity.shape[0]
  return Array.from({ length: batch }, (_, face) =>
    buildParameters(({ name }) => {
      const all = values.get(name)!
      const width = all.length / batch
      return Float32Array.from({ length: width }, (__, i) => all[face * width + i])
    }),
  )
}

/** Makes parameters of plain arrays, the reverse of {@link readParameters}.
 *
 * @param faces - at least one; the numbers of coefficients of the first are those of all
 * @memory the caller owns the results
 * @throws {ShapeError} when there is no face, or an array of one does not have its length
 */
export function createParameters(faces: readonly ParameterTree<ArrayLike<number>>[]): FaceParameters {
  const [first] = faces
  if (first === undefined) throw new ShapeError('createParameters: faces is empty, expected at least one')
  const layout: ParameterLayout = {
    identity: first.identity.length,
    expression: first.expression.length,
    albedo: first.albedo.length,
  }
  for (const [i, face] of faces.entries()) {
    for (const part of parameterParts) {
      const length = partOf(face, part)?.length
      const size = partSize(part, layout)
      if (length !== size)
        throw new ShapeError(
          `createParameters: faces[${i}].${parameterPath(part)} has ${length ?? 'no'} numbers, expected ${size}`,
        )
    }
  }
  const tensors = parameterParts.map((part) => {
    const width = partSize(part, layout)
    const values = new Float32Array(faces.length * width)
    faces.forEach((face, i) => values.set(partOf(face, part), i * width))
    const shape: number[] = [faces.length, ...partShape(part, layout)]
    return tensor<Rank>(values, shape)
  })
  return parametersFromTensors(tensors)
}
