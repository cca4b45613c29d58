import type { Variable } from '@tensorflow/tfjs-core'
import type { OptimizerVariable, VariableUpdate } from './optimizer-state.js'

/** Private fields of tfjs' Adam; those of AdamW are ours. */
export interface Adam {
  learningRate: number
  beta1: number
  beta2: number
  epsilon: number
  accBeta1: Variable
  accBeta2: Variable
  accumulatedFirstMoment: OptimizerVariable[]
  accumulatedSecondMoment: OptimizerVariable[]
  weightDecay?: number
  decays?: (variable: Variable) => boolean
  incrementIterations(): void
}

/** Private fields of tfjs' SGD and Momentum. */
export interface Sgd {
  learningRate: number
  momentum?: number
  useNesterov?: boolean
  accumulations?: OptimizerVariable[]
  incrementIterations(): void
}

/** State variables that belong to a variable. */
export type StateOf = (update: VariableUpdate) => Variable[]

/** How a backend changes variables by what an optimiser says. */
export interface Updater {
  /** @param decay - rate of weight decay of a variable */
  adam(
    optimizer: Adam,
    updates: readonly VariableUpdate[],
    state: StateOf,
    decay: (update: VariableUpdate) => number,
  ): void
  /** With or without momentum. */
  sgd(optimizer: Sgd, updates: readonly VariableUpdate[], state: StateOf): void
}
