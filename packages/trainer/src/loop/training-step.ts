import { ShapeError } from '@facekit/core'
import { type RecordedStep, recordStep } from '@facekit/kernels'
import { clipByGlobalNorm, scaledGradients, SharedGradients, type ExchangeTimes } from '@facekit/engine'
import * as tf from '@tensorflow/tfjs-core'
import type { GradientReducer } from '../ranks/gradient-reducer.js'
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
  /** Where gradients go to the other processes as halves, in pieces. */
  readonly #shared: SharedGradients | undefined
  readonly #times: ExchangeTimes[] = []

  constructor(options: Options<Batch>, trainable: readonly NamedVariable[], optimizer: TrainingOptimizer) {
    this.#options = options
    this.#trainable = trainable
    this.#optimizer = optimizer
    this.#accumulate = options.accumulate ?? 1
    const { reducer } = options
    if (reducer?.allGather && this.#accumulate === 1) {
      this.#shared = SharedGradients.create(
        trainable.map(({ variable }) => variable),
        reducer as GradientReducer & Required<Pick<GradientReducer, 'allGather'>>,
      )
    }
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
    if (!this.#options.reducer) return this.#reading(result!)
    return this.#reading(await (this.#shared ? this.#exchange(result!) : this.#reduce(result!)))
  }

  /** @returns losses, or with a reducer losses and gradients */
  #part(iteration: number, part: number, batch: Batch): tf.Tensor {
    const last = part === this.#accumulate - 1
    const name = part === 0 ? (last ? 'only' : 'first') : last ? 'last' : 'middle'
    const step = this.#step(name, (...inputs) => {
      if (this.#shared) return this.#sharedGradients(iteration, inputs as Batch)
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
    const { loss, losses } = this.#loss(iteration, batch)
    const { value, grads } = scaledGradients(
      loss,
      this.#trainable.map(({ variable }) => variable),
    )
    value.dispose()
    const gradients = this.#trainable.map(
      ({ variable }) => (grads[variable.name] as tf.Tensor | undefined) ?? undefined,
    )
    this.#reached = gradients.map((gradient) => gradient !== undefined)
    return { losses: losses(), gradients }
  }

  /** The losses; their gradients are on the way. */
  #sharedGradients(iteration: number, batch: Batch): tf.Tensor {
    const { loss, losses } = this.#loss(iteration, batch)
    this.#shared!.compute(loss).dispose()
    return losses()
  }

  /** The loss to differentiate, and what gives `[1 + T]` total and terms afterwards, once. */
  #loss(iteration: number, batch: Batch): { loss: () => tf.Scalar; losses: () => tf.Tensor } {
    let kept: tf.Tensor | undefined
    const loss = () => {
      const { total, terms = {} } = this.#options.loss(iteration, ...batch)
      for (const [name, tensor] of Object.entries({ total, ...terms })) {
        if (tensor?.rank !== 0) {
          throw new ShapeError(
            `runTraining: loss "${name}" is [${tensor?.shape ?? typeof tensor}], expected a scalar; reduce it with tf.mean`,
          )
        }
      }
      this.#names = Object.keys(terms)
      kept = tf.keep(tf.stack([total, ...Object.values(terms)].map((x) => tf.cast(x, 'float32'))))
      return total as tf.Scalar
    }
    const losses = () => {
      // What was kept goes with the tidy around the step.
      const copy = tf.clone(kept!)
      kept!.dispose()
      return copy
    }
    return { loss, losses }
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

  /** Averages losses and gradients over all processes, then updates; gradients in pieces, while the GPU still computes. */
  async #exchange(losses: tf.Tensor): Promise<tf.Tensor> {
    const { reducer } = this.#options
    const reading = losses.data()
    this.#times.push(await this.#shared!.exchange())
    if (this.#times.length > LATELY) this.#times.shift()
    const values = Float32Array.from(await reading)
    losses.dispose()
    await reducer!.allReduce(values)
    for (let i = 0; i < values.length; i++) values[i] /= reducer!.size
    const mean = tf.tensor1d(values)
    const result = this.#step('update', (input) => this.#update(input, this.#shared!.means()))(mean)
    mean.dispose()
    return result
  }

  /** What exchanging gradients took in the last iterations, on average. */
  get exchange(): ExchangeTimes | undefined {
    const times = this.#times
    if (times.length === 0) return undefined
    const mean = (name: keyof ExchangeTimes) =>
      times.reduce((sum, { [name]: milliseconds }) => sum + milliseconds, 0) / times.length
    const [computing, waiting, reading] = [mean('computing'), mean('waiting'), mean('reading')]
    return { computing, waiting, reading, gathering: mean('gathering'), uploading: mean('uploading') }
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
    this.#shared?.dispose()
    tf.dispose(this.#sums)
    this.#sums = []
  }
}

/** Iterations whose times are averaged. */
const LATELY = 50

const flatten = (tensors: readonly (tf.Tensor | undefined)[]): tf.Tensor =>
  tf.concat(tensors.filter((tensor) => tensor !== undefined).map((tensor) => tf.reshape(tensor, [-1])))
