import {
  assertParameters as assertShapes,
  type FaceParameters,
  type FaceParametersInput,
} from '@facekit/parameters'
import { assertCoefficients, type MorphableModel } from '@facekit/morphable'

/** Checks that parameters fit a model and agree in their batch size.
 *
 * @throws {ShapeError} that names the part, its shape, the shape that is needed, and a remedy
 */
export function assertParameters(
  who: string,
  model: MorphableModel,
  parameters: FaceParametersInput,
): asserts parameters is FaceParameters {
  const { identity, expression, albedo }: Partial<FaceParametersInput> = parameters ?? {}
  // Coefficients first: for them the message can name the model.
  const batch = assertCoefficients(who, model, { identity, expression, albedo })
  assertShapes(who, parameters, { batch, remedy: 'all parameters need the same batch B' })
}
