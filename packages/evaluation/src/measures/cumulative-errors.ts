import { assertInRange, assertInteger } from '@facekit/core'

/** Share of errors that are no larger, over an axis of errors. */
export interface CumulativeErrors {
  /** `[steps + 1]` errors from 0 to the limit. */
  errors: Float64Array
  /** `[steps + 1]` 0..1 */
  shares: Float64Array
  /** Area under the curve up to the limit, 0..1; 1 is perfect. */
  area: number
}

/** Cumulative error curve, as NoW and the landmark benchmarks draw it.
 *
 * @param values - errors; NaN is a failure and never reached
 * @param limit - end of the axis, in the unit of the errors
 * @param options - `steps` of the axis, default 200; `weights` of each error, default all 1
 */
export function cumulativeErrors(
  values: ArrayLike<number>,
  limit: number,
  { steps = 200, weights }: { steps?: number; weights?: ArrayLike<number> } = {},
): CumulativeErrors {
  assertInRange('cumulativeErrors: limit', limit, Number.MIN_VALUE)
  assertInteger('cumulativeErrors: steps', steps, 1, 1_000_000)
  const counts = new Float64Array(steps + 1)
  let total = 0
  let below = 0
  for (let i = 0; i < values.length; i++) {
    const weight = weights ? weights[i] : 1
    total += weight
    if (!(values[i] <= limit)) continue
    counts[Math.ceil(Math.max(0, values[i] / limit) * steps - 1e-9)] += weight
    // Exactly, not in steps: the mean share over the axis is what is left of it after the error.
    below += weight * (1 - Math.max(0, values[i]) / limit)
  }
  const shares = new Float64Array(steps + 1)
  for (let i = 0, sum = 0; i <= steps; i++) {
    sum += counts[i]
    shares[i] = total > 0 ? sum / total : 0
  }
  return {
    errors: Float64Array.from(shares, (_, i) => (i / steps) * limit),
    shares,
    area: total > 0 ? below / total : 0,
  }
}
