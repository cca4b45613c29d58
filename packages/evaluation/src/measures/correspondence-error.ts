import { ShapeError } from '@facekit/core'
import { applySimilarity3d, type Similarity3d } from '@facekit/mesh'
import { alignLandmarks } from './align-landmarks.js'

/** Options of `correspondenceError`. */
export interface CorrespondenceOptions {
  /** Takes the prediction to the truth; default: the best one for all pairs. */
  similarity?: Similarity3d
  /** Without one: whether its scale is found too. Default true. */
  scale?: boolean
  /** What the points are of, in messages. */
  who?: string
}

/** Distance of each point from the one that it corresponds to, after a similarity.
 *
 * For meshes of one topology, or landmarks in space. Closest points flatter a face that is wrong but smooth, and rank methods badly (M3DFB 2025);
 * corresponding points do not.
 *
 * @param prediction - `[P * 3]`
 * @param truth - `[P * 3]` the same points
 * @returns `[P]` in the unit of the truth
 * @throws {ShapeError} when there are not as many points
 * @throws {ValueError} when the prediction is mirrored
 */
export function correspondenceError(
  prediction: ArrayLike<number>,
  truth: ArrayLike<number>,
  { similarity, scale = true, who = 'correspondenceError' }: CorrespondenceOptions = {},
): Float64Array {
  if (prediction.length !== truth.length)
    throw new ShapeError(
      `${who}: ${prediction.length / 3} points for ${truth.length / 3}, expected meshes of one topology`,
    )
  const moved = applySimilarity3d(similarity ?? alignLandmarks(prediction, truth, { scale, who }), prediction)
  return Float64Array.from({ length: truth.length / 3 }, (_, i) =>
    Math.hypot(
      moved[i * 3] - truth[i * 3],
      moved[i * 3 + 1] - truth[i * 3 + 1],
      moved[i * 3 + 2] - truth[i * 3 + 2],
    ),
  )
}
