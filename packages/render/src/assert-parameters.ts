import { assertShape } from '@facekit/core'
import type { FaceParameters } from '@facekit/parameters'
import { assertCoefficients, type MorphableModel } from '@facekit/morphable'

/** Checks that parameters fit a model and agree in their batch size.
 *
 * @returns B
 * @throws {ShapeError} that names the part, its shape, the shape that is needed, and a remedy
 */
export function assertParameters(who: string, model: MorphableModel, parameters: FaceParameters): number {
  const { identity, expression, albedo, pose, illumination } = parameters
  const B = assertCoefficients(
    who,
    model,
    { identity, expression, albedo },
    'pass model.layout to createRegressor',
  )
  const check = (name: string, tensor: { shape: readonly number[] }, shape: (string | number)[]) =>
    assertShape(`${who}: ${name}`, tensor, shape, { B }, 'all parameters need the same batch B')
  check('pose.rotation', pose?.rotation, ['B', 3])
  check('pose.translation', pose?.translation, ['B', 3])
  check('pose.scale', pose?.scale, ['B', 1])
  check('illumination.sphericalHarmonics', illumination?.sphericalHarmonics, ['B', 9, 3])
  check('illumination.lightPosition', illumination?.lightPosition, ['B', 3])
  check('illumination.lightColor', illumination?.lightColor, ['B', 3])
  check('illumination.shininess', illumination?.shininess, ['B', 1])
  return B
}
