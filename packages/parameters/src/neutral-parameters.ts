import {
  concat,
  fill,
  ones,
  tensor2d,
  tidy,
  tile,
  zeros,
  type Tensor2D,
  type Tensor3D,
} from '@tensorflow/tfjs-core'
import type { FaceParameters, ParameterLayout } from './face-parameters.js'
import { parameterSegments } from './parameter-vector.js'
import { assertInteger } from '@facekit/core'

/** Value of the constant spherical harmonic Y(0,0) = 1 / (2 sqrt(pi)). */
const CONSTANT_HARMONIC = 0.5 / Math.sqrt(Math.PI)

/** Parameters of the mean face, frontal, at the origin, in white light of irradiance 1.
 *
 * The point light stands above and behind the camera, at (0, 400, 1200) mm, white, with shininess 20.
 *
 * @param layout - the model's, see `MorphableModel.layout`
 * @param batch - B, at least 1
 * @memory the caller owns the results
 * @throws {ValueError} when `batch` or a count of the layout is not a whole number
 */
export function neutralParameters(layout: ParameterLayout, batch = 1): FaceParameters {
  assertInteger('neutralParameters: batch', batch, 1)
  parameterSegments(layout)
  const row = (values: number[]): Tensor2D => tidy(() => tile(tensor2d([values]), [batch, 1]))
  return {
    identity: zeros([batch, layout.identity]),
    expression: zeros([batch, layout.expression]),
    albedo: zeros([batch, layout.albedo]),
    pose: { rotation: zeros([batch, 3]), translation: zeros([batch, 3]), scale: ones([batch, 1]) },
    illumination: {
      sphericalHarmonics: tidy(
        () => concat([fill([batch, 1, 3], 1 / CONSTANT_HARMONIC), zeros([batch, 8, 3])], 1) as Tensor3D,
      ),
      lightPosition: row([0, 400, 1200]),
      lightColor: ones([batch, 3]),
      shininess: row([20]),
    },
  }
}
