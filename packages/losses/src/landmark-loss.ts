import {
  div,
  mean,
  mul,
  reshape,
  sum,
  tensor,
  tidy,
  type Scalar,
  type Tensor,
  type Tensor3D,
} from '@tensorflow/tfjs-core'
import { assertShape } from '@facekit/core'
import { constant } from './constant.js'
import { residualNorm } from './residual-norm.js'

/** Weights mu of the 68 landmarks: 20 for the brows (17..26) and the outer mouth (48..59), 1 for the rest (paper, Eq. 10). */
export const defaultLandmarkWeights: readonly number[] = Object.freeze(
  Array.from({ length: 68 }, (_, i) => ((i >= 17 && i <= 26) || (i >= 48 && i <= 59) ? 20 : 1)),
)

/** Smoothing of a distance at 0, pixels. */
const EPSILON = 1e-3

/** Weighted mean distance between projected and labelled landmarks.
 *
 * L_lmk = 1 / |K| sum_i mu_i |k_i - k_i^p|                                             (MM '22 paper, Eq. 10)
 *
 * The sum is divided by the number of landmarks, not by the sum of the weights: as printed. The paper's weight of this loss is for
 * pixels of a picture of 224 x 224; scale landmarks of other sizes to it first.
 *
 * @param landmarks - `[B, L, 2]` k, labelled, pixels
 * @param projected - `[B, L, 2]` k^p, pixels
 * @param weights - mu, `[L]` for all pictures or `[B, L]`, e.g. with 0 for landmarks that are hidden. Default
 *   `defaultLandmarkWeights`, for L = 68
 * @returns scalar, mean over the pictures, pixels
 * @differentiable projected (0 where it meets its label). No gradient: landmarks, weights.
 * @memory the caller owns the result
 * @throws {ShapeError} when shapes differ
 * @example
 * // One of 68 landmarks, a weight of 20, off by (3, 4): 20 * 5 / 68 = 1.4706
 */
export function landmarkLoss(
  landmarks: Tensor3D,
  projected: Tensor3D,
  weights: readonly number[] | Tensor = defaultLandmarkWeights,
): Scalar {
  const known = assertShape('landmarkLoss: landmarks', landmarks, ['B', 'L', 2])
  assertShape('landmarkLoss: projected', projected, ['B', 'L', 2], known)
  const { B, L } = known
  return tidy(() => {
    const given = Array.isArray(weights) ? tensor(weights) : (weights as Tensor)
    const perPicture = given?.shape?.length === 2
    assertShape('landmarkLoss: weights', given, perPicture ? ['B', 'L'] : ['L'], { ...known })
    const mu = constant(reshape(given, [perPicture ? B : 1, L]))
    const distances = reshape(residualNorm(projected, landmarks, EPSILON), [B, L])
    return mean(div(sum(mul(distances, mu), 1), L)) as Scalar
  })
}
