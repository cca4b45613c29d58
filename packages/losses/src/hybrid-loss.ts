import { add, mul, scalar, tidy, type Scalar } from '@tensorflow/tfjs-core'
import { ShapeError, ValueError } from '@facekit/core'
import type { LossContext } from './loss-context.js'
import type { LossTerm } from './loss-term.js'

/** A hybrid loss and its summands. */
export interface HybridLoss {
  /** Weighted sum of the terms; a constant 0 when no term was computed. */
  total: Scalar
  /** Each computed term by its name, without its weight, in the order of the terms. */
  terms: Record<string, Scalar>
}

/** Weighted sum of losses.
 *
 * L = sum_k w_k L_k                                                                    (MM '22 paper, Eq. 6)
 *
 * Terms whose weight at this iteration is 0, and terms that say that they do not apply, are not computed and are
 * missing from the result.
 *
 * @param terms - e.g. of `paperLossTerms`, and your own
 * @param context - handed to each term as it is
 * @param iteration - counted from 0, handed to the schedules
 * @differentiable what the terms are differentiable in
 * @memory the caller owns all results; within `tf.tidy` or
 * `tf.variableGrads` call `tf.keep` on the terms that are to be read later, with `readHybridLoss`
 * @throws {ValueError} when two terms have the same name or a weight is not a number
 * @throws {ShapeError} when a term is not a scalar
 */
export function hybridLoss(terms: readonly LossTerm[], context: LossContext, iteration = 0): HybridLoss {
  const names = new Set<string>()
  for (const { name } of terms) {
    if (names.has(name)) throw new ValueError(`hybridLoss: two terms are named "${name}"; rename one of them`)
    names.add(name)
  }
  return tidy(() => {
    const values: Record<string, Scalar> = {}
    let total: Scalar | undefined
    for (const term of terms) {
      const weight = typeof term.weight === 'function' ? term.weight(iteration) : term.weight
      if (typeof weight !== 'number' || !Number.isFinite(weight)) {
        throw new ValueError(
          `hybridLoss: the weight of "${term.name}" at iteration ${iteration} is ${String(weight)}, expected a finite number`,
        )
      }
      if (weight === 0 || term.applies?.(context) === false) continue
      const value = term.compute(context)
      if (value?.rank !== 0) {
        throw new ShapeError(
          `hybridLoss: term "${term.name}" is [${value?.shape ?? typeof value}], expected a scalar; reduce it with tf.mean`,
        )
      }
      values[term.name] = value
      const weighted = mul(value, weight) as Scalar
      total = total ? (add(total, weighted) as Scalar) : weighted
    }
    return { total: total ?? scalar(0), terms: values }
  })
}
