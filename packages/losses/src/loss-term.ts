import type { Scalar } from '@tensorflow/tfjs-core'
import type { LossContext } from './loss-context.js'

/** One summand of a hybrid loss. Write your own: anything with these members works. */
export interface LossTerm {
  /** Unique among the terms of a loss. */
  readonly name: string
  /** Factor, or a schedule: the factor at an iteration, counted from 0. A term of weight 0 is not computed. */
  readonly weight: number | ((iteration: number) => number)
  /** The loss, without its weight. Differentiable in `context.rendering` and `context.parameters`. */
  compute(context: LossContext): Scalar
  /** Whether the context has what the term needs; a term that says no is skipped. Default: yes. */
  applies?(context: LossContext): boolean
}
