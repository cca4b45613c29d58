import type { ParameterLayout } from '@facekit/parameters'
import { choleskyFactor, choleskyInverse, choleskySolve } from './cholesky.js'
import type { LandmarkFit } from './landmark-fit.js'

/** Rotation, translation and log(scale). */
const RIGID = 7

/** What the landmarks of all photographs of a person say together. */
export interface JointPosterior {
  /** `[m * m]`: identity, then for each photograph rotation, translation, log(scale) and expression. */
  precision: Float64Array
  /** `[Ki]` the identity that all of them agree on. */
  identity: Float64Array
  size: number
}

/** Adds up what single photographs say; the prior of identity, which each of them holds, counts once.
 *
 * @param fits - of each photograph alone
 * @param prior - `[Ki]` mean and precision of identity that the fits were given
 */
export function jointPosterior(
  fits: readonly LandmarkFit[],
  layout: ParameterLayout,
  prior: { mean: ArrayLike<number>; precision: ArrayLike<number> },
): JointPosterior {
  const { identity: ki, expression: ke } = layout
  const own = RIGID + ke
  const size = ki + fits.length * own
  const precision = new Float64Array(size * size)
  const right = new Float64Array(ki)
  for (const [b, { posterior, identity }] of fits.entries()) {
    const n = RIGID + ki + ke
    const place = (i: number) => {
      if (i < RIGID) return ki + b * own + i
      return i < RIGID + ki ? i - RIGID : b * own + i
    }
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) precision[place(i) * size + place(j)] += posterior.precision[i * n + j]
    const marginal = identityPrecision(posterior.precision, n, ki)
    for (let i = 0; i < ki; i++) for (let j = 0; j < ki; j++) right[i] += marginal[i * ki + j] * identity[j]
  }
  const repeated = fits.length - 1
  for (let k = 0; k < ki; k++) {
    precision[k * size + k] -= repeated * prior.precision[k]
    right[k] -= repeated * prior.precision[k] * prior.mean[k]
  }
  const identity =
    fits.length === 1 ? Float64Array.from(fits[0].identity) : solveIdentity(fits, right, ki, prior.precision)
  return { precision, identity, size }
}

/** Precision of identity whatever pose and expression are (Schur's complement).
 *
 * @param first - row of the first coefficient of identity; default: after pose, as in the posterior of one photograph
 */
export function identityPrecision(
  precision: Float64Array,
  n: number,
  ki: number,
  first = RIGID,
): Float64Array {
  const covariance = choleskyInverse(choleskyFactor(precision, n)!, n)
  const block = new Float64Array(ki * ki)
  for (let i = 0; i < ki; i++)
    for (let j = 0; j < ki; j++) block[i * ki + j] = covariance[(first + i) * n + first + j]
  return choleskyInverse(choleskyFactor(block, ki)!, ki)
}

function solveIdentity(
  fits: readonly LandmarkFit[],
  right: Float64Array,
  ki: number,
  prior: ArrayLike<number>,
): Float64Array {
  const sum = new Float64Array(ki * ki)
  for (const { posterior } of fits) {
    const n = Math.sqrt(posterior.precision.length)
    const marginal = identityPrecision(posterior.precision, n, ki)
    for (let i = 0; i < sum.length; i++) sum[i] += marginal[i]
  }
  for (let k = 0; k < ki; k++) sum[k * ki + k] -= (fits.length - 1) * prior[k]
  return choleskySolve(choleskyFactor(sum, ki)!, ki, right)
}

/** `[(Ki + Ke)^2]` covariance of identity and the expression of the first photograph. */
export function shapeCovariance({ precision, size }: JointPosterior, layout: ParameterLayout): Float64Array {
  const { identity: ki, expression: ke } = layout
  const all = choleskyInverse(choleskyFactor(precision, size)!, size)
  const count = ki + ke
  const place = (k: number) => (k < ki ? k : RIGID + k)
  const covariance = new Float64Array(count * count)
  for (let i = 0; i < count; i++)
    for (let j = 0; j < count; j++) covariance[i * count + j] = all[place(i) * size + place(j)]
  return covariance
}
