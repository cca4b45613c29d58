import { assertShape, ValueError } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import type { NdArray } from 'ndarray'
import { landmarkBasis } from './landmark-basis.js'
import type { FitLandmarksOptions, LandmarkFit } from './landmark-fit.js'
import { landmarkProblem, type LandmarkState } from './landmark-problem.js'

/** Turns of the head that are tried as starts: a strongly turned head is a local minimum away from a frontal one. */
const STARTS = [0, -0.7, 0.7]
/** Mean distance, in landmark deviations, below which no other start is tried. */
const GOOD_ENOUGH = 2

/** Fits pose, identity and expression to 68 landmarks: maximum a posteriori by Levenberg-Marquardt.
 *
 * Minimises sum ||(k_i - k_i^p) / sigma_i||^2 + ||identity||^2 + ||expression / deviation||^2 with a robust weight
 * (Huber, 3 sigma) for each landmark; expression coefficients keep to the model's `expressionRange`. Jaw landmarks slide
 * along the model's `jawContours` when the head turns. Deterministic; takes a few tenths of a second.
 *
 * @param landmarks - `[68, 2]` pixels, origin top left, pixel centres at +0.5
 * @param model - any model with 68 landmarks
 * @throws {ShapeError} when `landmarks` is not `[68, 2]`
 * @throws {ValueError} when a landmark is not a finite number
 */
export function fitLandmarks(
  landmarks: NdArray<Float32Array>,
  model: MorphableModel,
  options: FitLandmarksOptions = {},
): LandmarkFit {
  assertShape('fitLandmarks: landmarks', landmarks, [68, 2])
  const target = new Float64Array(136)
  for (let i = 0; i < 136; i++) target[i] = landmarks.get(i >> 1, i & 1)
  if (!target.every(Number.isFinite)) throw new ValueError('fitLandmarks: a landmark is not a finite number')
  const basis = landmarkBasis(model)
  const problem = landmarkProblem(basis, model, target, options)
  let best: { state: LandmarkState; cost: number } | undefined
  for (const yaw of STARTS) {
    const result = problem.solve(yaw)
    if (!best || result.cost < best.cost) best = result
    // A frontal start that explains the landmarks is the right one; trying the others would be wasted time.
    if (problem.describe(best.state).meanDistance < GOOD_ENOUGH * problem.sigma) break
  }
  return problem.describe(best!.state)
}
