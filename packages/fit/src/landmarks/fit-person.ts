import type { ParameterLayout } from '@facekit/parameters'
import { choleskyFactor, choleskySolve } from './cholesky.js'
import { identityPrecision, jointPosterior, type JointPosterior } from './joint-posterior.js'
import type { LandmarkFit } from './landmark-fit.js'
import type { IdentityPrior } from './shape-prior.js'

/** How tightly each photograph is held to the common identity, in standard deviations: little enough to be one identity, enough that how far a photograph
 * pulls away from it tells its gradient in float32. */
export const HOLD = 0.02
/** Most steps of Gauss-Newton, and the step of any coefficient below which it stops. */
const MOST_STEPS = 4
const SMALL_STEP = 0.03

/** What is known of identity before the photographs, and how they show it. */
export interface PersonPrior {
  /** `[Ki]` */
  mean: Float64Array
  precision: Float64Array
  /** By how much less than they are the photographs show deviations from the mean. Default 1. */
  shrinkage?: number
}

/** One identity for all photographs of a person, pose and expression for each: Gauss-Newton on identity, in which pose and expression follow it (variable projection;
 * Golub and Pereyra 1973).
 *
 * At a common identity each photograph is fitted on its own. How far it pulls away is the gradient of its cost; its precision of identity, whatever pose and expression are, is
 * the Schur complement of its normal equations. Their sums with the prior give the next identity.
 *
 * @param fit - fits photograph b with identity as expected, from a fit near by
 * @param start - fits of the photographs alone, under `prior`
 */
export function fitPerson(
  fit: (photograph: number, identity: IdentityPrior, near: LandmarkFit) => LandmarkFit,
  start: readonly LandmarkFit[],
  layout: ParameterLayout,
  prior: PersonPrior,
): { fits: LandmarkFit[]; posterior: JointPosterior } {
  const { identity: ki, expression: ke } = layout
  const n = 7 + ki + ke
  let { identity } = jointPosterior(start, layout, prior)
  const held = (mean: Float64Array): IdentityPrior => ({
    mean,
    deviations: new Float64Array(ki).fill(HOLD),
  })
  let fits = start
  for (let step = 0; step < MOST_STEPS; step++) {
    fits = fits.map((near, b) => fit(b, held(identity), near))
    const sum = new Float64Array(ki * ki)
    const right = Float64Array.from(prior.precision, (p, k) => p * (prior.mean[k] - identity[k]))
    for (const { posterior, identity: own } of fits) {
      const marginal = identityPrecision(posterior.precision, n, ki)
      for (let i = 0; i < sum.length; i++) sum[i] += marginal[i]
      for (let k = 0; k < ki; k++) right[k] += (own[k] - identity[k]) / HOLD ** 2
    }
    for (let k = 0; k < ki; k++) sum[k * ki + k] += prior.precision[k] - fits.length / HOLD ** 2
    const factor = choleskyFactor(sum, ki)
    if (!factor) break
    const move = choleskySolve(factor, ki, right)
    identity = identity.map((value, k) => value + move[k])
    if (move.every((value) => Math.abs(value) < SMALL_STEP)) break
  }
  const { shrinkage = 1 } = prior
  identity = identity.map((value, k) => prior.mean[k] + shrinkage * (value - prior.mean[k]))
  const settled = fits.map((near, b) => ({
    ...fit(b, held(identity), near),
    identity: Float32Array.from(identity),
  }))
  // What held the photographs is taken out of their precisions again, and the prior put in its place.
  const repeated = prior.precision.map((p) => (fits.length / HOLD ** 2 - p) / (fits.length - 1))
  const posterior = jointPosterior(settled, layout, { mean: identity, precision: repeated })
  return { fits: settled, posterior: { ...posterior, identity } }
}
