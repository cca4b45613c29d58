import { readLossScale } from '@facekit/engine'
import { hasHostMemory } from '@facekit/kernels'
import { LossGuard } from './loss-guard.js'
import type { TrainingLog } from '../log/training-log.js'
import type { TrainingOptions, TrainingProgress } from './training-options.js'
import type { LossReading, LossValues } from './training-step.js'

/** On a GPU, iterations between readings: so many may be under way before one is waited for. */
const MOST_PENDING = 4
/** Time over which the speed is taken, milliseconds. */
const SPEED_WINDOW = 200

interface Pending {
  iteration: number
  learningRate: number
  values: Promise<LossValues>
}

/** Reads losses while the next iterations compute, watches them, logs them, and tells how far it is. */
export class LossMonitor {
  readonly #options: Pick<TrainingOptions, 'phase' | 'logEvery' | 'iterations' | 'onProgress' | 'explosion'>
  readonly #log: TrainingLog | undefined
  readonly #clock: () => Pick<TrainingProgress, 'seconds' | 'waitShare' | 'evaluation'>
  readonly #guard: LossGuard
  readonly #first: number
  #pending: Pending[] = []
  #speedMark: { time: number; iteration: number }
  #speed = 0
  last: LossValues = { total: NaN, terms: {} }

  /** @param first - iterations that are done already */
  constructor(
    options: Pick<TrainingOptions, 'phase' | 'logEvery' | 'iterations' | 'onProgress' | 'explosion'>,
    log: TrainingLog | undefined,
    first: number,
    clock: () => Pick<TrainingProgress, 'seconds' | 'waitShare' | 'evaluation'>,
  ) {
    this.#options = options
    this.#log = log
    this.#first = first
    this.#clock = clock
    this.#guard = new LossGuard(options.explosion ?? 100)
    this.#speedMark = { time: performance.now(), iteration: first }
  }

  /** Takes the losses of an iteration; on a GPU those of some are never read.
   *
   * @throws {DivergenceError} when those of an iteration before went wrong
   */
  async follow(iteration: number, learningRate: number, reading: LossReading): Promise<void> {
    const { logEvery = 10, iterations } = this.#options
    const done = iteration + 1
    // On the CPU they are there already.
    const host = hasHostMemory()
    const due = host || done % logEvery === 0 || done === iterations || done % MOST_PENDING === 0
    if (!due && done > this.#first + 1) {
      reading.dispose()
      return
    }
    const values = reading.read()
    // They may fail before they are waited for.
    values.catch(() => {})
    this.#pending.push({ iteration, learningRate, values })
    while (this.#pending.length > (host ? 0 : 1)) await this.#take()
  }

  /** Waits for all that is under way. */
  async drain(): Promise<void> {
    while (this.#pending.length > 0) await this.#take()
  }

  /** Waits, and forgets what came of it. */
  async drop(): Promise<void> {
    await Promise.allSettled(this.#pending.map(({ values }) => values))
    this.#pending = []
  }

  async #take(): Promise<void> {
    const { iteration, learningRate, values } = this.#pending.shift()!
    const { phase, logEvery = 10, iterations, onProgress } = this.#options
    const read = await values
    this.#guard.check(iteration, read, phase?.(iteration) ?? 0)
    this.last = read
    const done = iteration + 1
    const now = performance.now()
    const { time, iteration: from } = this.#speedMark
    if (now - time > SPEED_WINDOW || this.#speed === 0) {
      this.#speed = (1000 * (done - from)) / Math.max(1e-3, now - time)
      this.#speedMark = { time: now, iteration: done }
    }
    const { total: loss, terms, gradientNorm } = read
    const clock = this.#clock()
    if (done % logEvery === 0 || done === iterations) {
      const scaling = await readLossScale()
      const rest = {
        learningRate,
        ...(gradientNorm !== undefined && { gradientNorm }),
        ...(scaling && { lossScale: scaling.scale, skippedSteps: scaling.skipped }),
      }
      const { waitShare } = clock
      await this.#log?.write({ iteration: done, loss, terms, ...rest, speed: this.#speed, waitShare })
    }
    onProgress?.({ iteration: done, iterations, loss, terms, learningRate, speed: this.#speed, ...clock })
  }
}
