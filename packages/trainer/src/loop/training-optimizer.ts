import { showValue, ValueError } from '@facekit/core'
import { AdamWOptimizer } from '@facekit/engine'
import * as tf from '@tensorflow/tfjs-core'
import type { NamedVariable } from './trained-variables.js'
import type { TrainingOptions } from './training-options.js'

/** A state variable as tfjs' optimisers keep it. */
interface Slot {
  originalName: string
  variable: tf.Variable
}

/** Fields of tfjs' optimisers that their own `getWeights` leaves out, or rounds. */
interface OptimizerState {
  learningRate: number
  accBeta1?: tf.Variable
  accBeta2?: tf.Variable
  accumulatedFirstMoment?: Slot[]
  accumulatedSecondMoment?: Slot[]
  accumulations?: Slot[]
}

const SLOTS = {
  m: 'accumulatedFirstMoment',
  v: 'accumulatedSecondMoment',
  momentum: 'accumulations',
} as const
const POWERS = ['accBeta1', 'accBeta2'] as const

/** An optimiser whose whole state can be stored and put back exactly. */
export class TrainingOptimizer {
  readonly #optimizer: tf.Optimizer & OptimizerState
  readonly #trainable: readonly NamedVariable[]

  constructor(
    {
      optimizer = 'adam',
      weightDecay,
      momentum,
    }: Pick<TrainingOptions, 'optimizer' | 'weightDecay' | 'momentum'>,
    trainable: readonly NamedVariable[],
  ) {
    if (weightDecay !== undefined && optimizer !== 'adamw')
      throw new ValueError(`runTraining: weightDecay is for optimizer "adamw", not for "${optimizer}"`)
    if (momentum !== undefined && optimizer !== 'sgd')
      throw new ValueError(`runTraining: momentum is for optimizer "sgd", not for "${optimizer}"`)
    const makers: Record<string, (() => tf.Optimizer) | undefined> = {
      adam: () => tf.train.adam(1),
      adamw: () => new AdamWOptimizer(1, { weightDecay }),
      sgd: () => (momentum ? tf.train.momentum(1, momentum) : tf.train.sgd(1)),
    }
    const make = makers[optimizer]
    if (!make) {
      throw new ValueError(
        `runTraining: optimizer is ${showValue(optimizer)}, expected "adam", "adamw" or "sgd"`,
      )
    }
    this.#optimizer = make() as tf.Optimizer & OptimizerState
    this.#trainable = trainable
  }

  /** May be set at any time, also between replays of a recorded step. */
  set learningRate(value: number) {
    this.#optimizer.learningRate = value
  }

  /** @param gradients - one for each trainable variable, or none where the loss does not depend on it */
  apply(gradients: readonly (tf.Tensor | undefined)[]): void {
    const named = this.#trainable.map(({ variable }, i) => ({ name: variable.name, tensor: gradients[i] }))
    this.#optimizer.applyGradients(named as Parameters<tf.Optimizer['applyGradients']>[0])
  }

  /** What there is of state now, by a name that is the same in every process. Belongs to the optimiser. */
  state(): NamedVariable[] {
    const state: NamedVariable[] = []
    for (const name of POWERS) {
      const variable = this.#optimizer[name]
      if (variable) state.push({ name, variable })
    }
    for (const [suffix, field] of Object.entries(SLOTS)) {
      for (const [i, slot] of (this.#optimizer[field] ?? []).entries())
        state.push({ name: `${this.#trainable[i].name}/${suffix}`, variable: slot.variable })
    }
    return state
  }

  /** Makes the state that this optimiser has after a step, as zeros, so that a stored one can be assigned. */
  prepare(): void {
    for (const [suffix, field] of Object.entries(SLOTS)) {
      const slots = this.#optimizer[field]
      if (!slots) continue
      for (const [i, { variable }] of this.#trainable.entries()) {
        slots[i] ??= {
          originalName: `${variable.name}/${suffix}`,
          variable: tf.tidy(() => tf.variable(tf.zerosLike(variable), false)),
        }
      }
    }
  }

  dispose(): void {
    this.#optimizer.dispose()
  }
}
