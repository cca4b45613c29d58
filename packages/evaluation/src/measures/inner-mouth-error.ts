import { ShapeError } from '@facekit/core'
import { alignLandmarks } from './align-landmarks.js'
import { correspondenceError } from './correspondence-error.js'

/** Mean distance of the inner mouth's landmarks, 60 to 67 of 68, after a similarity on all 68 (the paper's Table 5).
 *
 * The paper does not say how the faces are brought together; all 68 landmarks are the choice here, and the result is in the unit of the truth.
 *
 * @param prediction - `[68 * 3]`
 * @param truth - `[68 * 3]` mm for a result in mm
 * @throws {ShapeError} when there are not 68
 * @throws {ValueError} when the prediction is mirrored
 */
export function innerMouthError(prediction: ArrayLike<number>, truth: ArrayLike<number>): number {
  if (prediction.length !== 204 || truth.length !== 204)
    throw new ShapeError(
      `innerMouthError: ${prediction.length / 3} and ${truth.length / 3} landmarks, expected 68 in space`,
    )
  const similarity = alignLandmarks(prediction, truth, { who: 'innerMouthError' })
  const errors = correspondenceError(prediction, truth, { similarity })
  return errors.subarray(60).reduce((sum, error) => sum + error / 8, 0)
}
