import { assertInteger } from '@facekit/core'
import type { FaceParameters, ParameterLayout } from './face-parameters.js'
import { createParameters } from './parameter-arrays.js'
import { assertLayout, partStart } from './parameter-parts.js'
import { buildParameters } from './parameter-tree.js'

/** Parameters of the mean face, frontal, at the origin, in white light of irradiance 1: the start values of {@link parameterParts}.
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
  assertLayout('neutralParameters', layout)
  const face = buildParameters((part) => partStart(part, layout))
  return createParameters(Array.from({ length: batch }, () => face))
}
