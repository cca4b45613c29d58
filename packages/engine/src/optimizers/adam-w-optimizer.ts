import { assertInRange } from '@facekit/core'
import { AdamOptimizer, engine, mul, tidy, type serialization, type Variable } from '@tensorflow/tfjs-core'
import { completeOptimizers } from './fast-optimizers.js'
import { fusedUpdates, type VariableGradients } from './optimizer-state.js'

/** Options of `AdamWOptimizer`. */
export interface AdamWOptions {
  /** How fast the mean of the gradients forgets. Default 0.9. */
  beta1?: number
  /** How fast the mean of their squares forgets. Default 0.999. */
  beta2?: number
  /** Added to the root of the latter. Default 1e-7. */
  epsilon?: number
  /** Share of itself that a variable loses in a step, times the learning rate. Default 0.01. */
  weightDecay?: number
  /** Which variables decay. Default: those of two axes and more, not offsets and scales. */
  decays?: (variable: Variable) => boolean
}

/** Adam with decoupled weight decay (Loshchilov, Hutter 2019): `value -= learningRate * weightDecay * value` beside the step of Adam.
 *
 * State, `getWeights`, `setWeights` and speed are those of `tf.train.adam`; `learningRate` may be set at any time, also between replays
 * of a recorded step. The decay is frozen when a step is recorded.
 *
 * @example
 * const optimizer = new AdamWOptimizer(1e-3, { weightDecay: 0.05 })
 * optimizer.minimize(loss, false, variables)
 */
export class AdamWOptimizer extends AdamOptimizer {
  static override get className(): string {
    return 'AdamW'
  }

  readonly weightDecay: number
  readonly decays: (variable: Variable) => boolean

  /** @throws {ValueError} when the decay is negative */
  constructor(learningRate: number, options: AdamWOptions = {}) {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, weightDecay = 0.01 } = options
    super(learningRate, beta1, beta2, epsilon)
    assertInRange('AdamWOptimizer: weightDecay', weightDecay, 0, Infinity)
    this.weightDecay = weightDecay
    this.decays = options.decays ?? (({ rank }) => rank >= 2)
    completeOptimizers()
  }

  override applyGradients(gradients: VariableGradients): void {
    // The fused update does both at once.
    if (!fusedUpdates(gradients)) this.decay(gradients)
    super.applyGradients(gradients as Parameters<AdamOptimizer['applyGradients']>[0])
  }

  private decay(gradients: VariableGradients): void {
    const names = Array.isArray(gradients) ? gradients.map(({ name }) => name) : Object.keys(gradients)
    for (const name of names) {
      const variable = engine().registeredVariables[name]
      if (!this.decays(variable)) continue
      tidy(() => variable.assign(mul(variable, 1 - this.learningRate * this.weightDecay)))
    }
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), weightDecay: this.weightDecay }
  }

  static override fromConfig<T extends serialization.Serializable>(
    cls: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
  ): T {
    const { learningRate, ...options } = config as unknown as { learningRate: number } & AdamWOptions
    return new (cls as unknown as typeof AdamWOptimizer)(learningRate, options) as unknown as T
  }
}
