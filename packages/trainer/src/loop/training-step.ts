import { ShapeError } from '@facekit/core'
import { type RecordedStep, recordStep } from '@facekit/kernels'
import { clipByGlobalNorm, scaledGradients } from '@facekit/engine'
import * as tf from '@tensorflow/tfjs-core'
import type { NamedVariable } from './trained-variables.js'
import type { TrainingOptimizer } from './training-optimizer.js'
import type { TrainingOptions } from './training-options.js'

/** Numbers of an iteration. */
export interface LossValues {
  total: number
  terms: Record<string, number>
  /** With `clipNorm`: before clipping. */
  gradientNorm?: number
}

/** Losses of an iteration that are still being computed. */
export interface LossReading {
  /** Waits for them; call it, or `dispose`. */
  read(): Promise<LossValues>
  dispose(): void
}

type Options<Batch extends tf.Tensor[]> = Pick<
  TrainingOptions<Batch>,
  'loss' | 'clipNorm' | 'accumulate' | 'phase' | 'reducer'
>

/** The steps of a training: losses, gradients, update; recorded where the backend can. */
export class TrainingStep<Batch extends tf.Tensor[]> {
  readonly #options: Options<Batch>
  readonly #trainable: readonly NamedVariable[]
  readonly #optimizer: TrainingOptimizer
  readonly #steps = new Map<string, RecordedStep<tf.Tensor[], tf.Tensor>>()
  readonly #accumulate: number
  /** Sums of gradients, while there are several batches in an iteration. */
  #sums: tf.Variable[] = []
  #lossSum: tf.Variable | undefined
  #phase: string | number | undefined
  #names: string[] = []
  /** Whether a variable has a gradient at all. */
  #reached: boolean[] = []

  constructor(options: Options<Batch>, trainable: readonly NamedVariable[], optimizer: TrainingOptimizer) {
    this.#options = options
    this.#trainable = trainable
    this.#optimizer = optimizer
    this.#accumulate = options.accumulate ?? 1
    if (this.#accumulate > 1)
      this.#sums = trainable.map(({ variable }) => tf.tidy(() => tf.variable(tf.zerosLike(variable), false)))
  }

  /** One iteration. The batches still belong to the caller. */
  async run(iteration: number, nextBatch: () => Promise<Batch>): Promise<LossReading> {
    const phase = this.#options.phase?.(iteration)
    if (phase !== this.#phase) this.#forget()
    this.#phase = phase
    let result: tf.Tensor | undefined
    for (let part = 0; part < this.#accumulate; part++) {
      const batch = await nextBatch()
      result?.dispose()
      result = this.#part(iteration, part, batch)
      tf.dispose(batch)
    }
    const numbers = this.#options.reducer ? await this.#reduce(result!) : result!
    return this.#reading(numbers)
  }

  /** @returns losses, or with a reducer losses and gradients */
  #part(iteration: number, part: number, batch: Batch): tf.Tensor {
    const last = part === this.#accumulate - 1
    const name = part === 0 ? (last ? 'only' : 'first') : last ? 'last' : 'middle'
    const step = this.#step(name, (...inputs) => {
      const { losses, gradients } = this.#gradients(iteration, inputs as Batch)
      if (!last || this.#accumulate > 1) {
        this.#collect(gradients, losses, part === 0)
        if (!last) return losses
      }
      const count = this.#accumulate
      const total = count > 1 ? tf.div(this.#lossSum!, count) : losses
      const means =
        count > 1 ? gradients.map((gradient, i) => gradient && tf.div(this.#sums[i], count)) : gradients
      if (this.#options.reducer) return flatten([total, ...means])
      return this.#update(total, means)
    })
    return step(...batch)
  }

  #step(name: string, run: (...inputs: tf.Tensor[]) => tf.Tensor): RecordedStep<tf.Tensor[], tf.Tensor> {
    let step = this.#steps.get(name)
    // What is recorded first goes on being repeated; elsewhere it must see the iteration of the call.
    if (!step) this.#steps.set(name, (step = recordStep((...inputs) => this.#current!(...inputs))))
    this.#current = run
    return step
  }
  #current: ((...inputs: tf.Tensor[]) => tf.Tensor) | undefined

  /** `[1 + T]` total and terms, and a gradient for each trainable variable that has one. */
  #gradients(iteration: number, batch: Batch): { losses: tf.Tensor; gradients: (tf.Tensor | undefined)[] } {
    let losses: tf.Tensor | undefined
    const { value, grads } = scaledGradients(
      () => {
        const { total, terms = {} } = this.#options.loss(iteration, ...batch)
        for (const [name, tensor] of Object.entries({ total, ...terms })) {
          if (tensor?.rank !== 0) {
            throw new ShapeError(
              `runTraining: loss "${name}" is [${tensor?.shape ?? typeof tensor}], expected a scalar; reduce it with tf.mean`,
            )
          }
        }
        this.#names = Object.keys(terms)
        losses = tf.keep(tf.stack([total, ...Object.values(terms)].map((x) => tf.cast(x, 'float32'))))
        return total as tf.Scalar
      },
      this.#trainable.map(({ variable }) => variable),
    )
    value.dispose()
    const gradients = this.#trainable.map(
      ({ variable }) => (grads[variable.name] as tf.Tensor | undefined) ?? undefined,
    )
    this.#reached = gradients.map((gradient) => gradient !== undefined)
    // What was kept goes with the tidy around the step.
    const copy = tf.clone(losses!)
    losses!.dispose()
    return { losses: copy, gradients }
  }

  /** Adds to the sums. */
  #collect(gradients: (tf.Tensor | undefined)[], losses: tf.Tensor, first: boolean): void {
    this.#lossSum ??= tf.variable(tf.zerosLike(losses), false)
    this.#lossSum.assign(first ? tf.mul(losses, 1) : tf.add(this.#lossSum, losses))
    for (const [i, gradient] of gradients.entries()) {
      if (gradient) this.#sums[i].assign(first ? tf.mul(gradient, 1) : tf.add(this.#sums[i], gradient))
    }
  }

  /** Clips, changes the variables, and adds the norm to the losses. */
  #update(losses: tf.Tensor, gradients: (tf.Tensor | undefined)[]): tf.Tensor {
    const { clipNorm } = this.#options
    if (clipNorm === undefined) {
      this.#optimizer.apply(gradients)
      return losses
    }
    const present = gradients.filter((gradient) => gradient !== undefined)
    const { gradients: clipped, norm } = clipByGlobalNorm(present, clipNorm)
    const rest = [...clipped]
    this.#optimizer.apply(gradients.map((gradient) => gradient && rest.shift()))
    return tf.concat([losses, tf.reshape(norm, [1])])
  }

  /** Averages losses and gradients over all processes, then updates. */
  async #reduce(flat: tf.Tensor): Promise<tf.Tensor> {
    const { reducer } = this.#options
    const values = Float32Array.from(await flat.data())
    flat.dispose()
    await reducer!.allReduce(values)
    for (let i = 0; i < values.length; i++) values[i] /= reducer!.size
    const mean = tf.tensor1d(values)
    const losses = 1 + this.#names.length
    const step = this.#step('update', (input) => {
      let at = losses
      const gradients = this.#trainable.map(({ variable: { size, shape } }, i) => {
        if (!this.#reached[i]) return undefined
        at += size
        return tf.reshape(tf.slice(input as tf.Tensor1D, [at - size], [size]), shape)
      })
      return this.#update(tf.slice(input as tf.Tensor1D, [0], [losses]), gradients)
    })
    const result = step(mean)
    mean.dispose()
    return result
  }

  #reading(numbers: tf.Tensor): LossReading {
    const names = this.#names
    return {
      read: async () => {
        const values = await numbers.data()
        numbers.dispose()
        const terms = Object.fromEntries(names.map((name, i) => [name, values[1 + i]]))
        const norm = values[1 + names.length]
        return { total: values[0], terms, ...(norm !== undefined && { gradientNorm: norm }) }
      },
      dispose: () => numbers.dispose(),
    }
  }

  #forget(): void {
    for (const step of this.#steps.values()) step.dispose()
    this.#steps.clear()
    this.#lossSum?.dispose()
    this.#lossSum = undefined
  }

  dispose(): void {
    this.#forget()
    tf.dispose(this.#sums)
    this.#sums = []
  }
}

const flatten = (tensors: readonly (tf.Tensor | undefined)[]): tf.Tensor =>
  tf.concat(tensors.filter((tensor) => tensor !== undefined).map((tensor) => tf.reshape(tensor, [-1])))
