import { assertShape } from '@facekit/core'
import { tidy, type Tensor3D } from '@tensorflow/tfjs-core'
import { gatherVertices } from './gather-vertices.js'
import type { MorphableModel } from './morphable-model.js'

/** Positions of the 68 landmarks of iBUG / 300-W.
 *
 * @param vertices - `[B, N, 3]`, from `evaluateShape`
 * @returns `[B, 68, 3]` in the space of `vertices`, subject's right jaw first
 * @differentiable vertices
 * @memory the caller owns the result
 * @throws {ShapeError} when N is not that of the model
 */
export function landmarkPositions(vertices: Tensor3D, model: MorphableModel): Tensor3D {
  assertShape('landmarkPositions: vertices', vertices, ['B', model.vertexCount, 3])
  return tidy(() => gatherVertices(vertices, model.landmarks))
}
