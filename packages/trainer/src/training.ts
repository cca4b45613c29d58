import { CheckpointError, hasHostMemory } from '@facekit/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import { breathe } from './breathe.js'
import { readCheckpoint, readLatestCheckpoint, writeCheckpoint, type Checkpoint } from './checkpoint.js'
import { DivergenceError, LossGuard } from './loss-guard.js'
import { agreeToStop, gatherStates, type StopReason } from './reduce-helpers.js'
import { scheduleValue } from './schedules.js'
import { trainedVariables, type TrainedVariables } from './trained-variables.js'
import { TrainingLog } from './training-log.js'
import { TrainingOptimizer } from './training-optimizer.js'
import type { TrainingOptions, TrainingResult } from './training-options.js'
import { captureState, findNotFinite, restoreState } from './training-state.js'
import { TrainingStep, type LossReading, type LossValues } from './training-step.js'

/** Iterations that may be under way on the GPU before one is waited for. */
const MOST_PENDING = 4

interface Pending {
  iteration: number
  learningRate: number
  values: Promise<LossValues>
}

/** A training that is under way. */
export class Training<Batch extends Tensor[]> {
  readonly #options: TrainingOptions<Batch>
  readonly #variables: TrainedVariables
  readonly #optimizer: TrainingOptimizer
  readonly #step: TrainingStep<Batch>
  readonly #guard: LossGuard
  readonly #writes: boolean
  #log: TrainingLog | undefined
  /** Iterations that are done. */
  #iteration = 0
  #first = 0
  #checkpoint: { path: string; iteration: number } | undefined
  #pending: Pending[] = []
  #last: LossValues = { total: NaN, terms: {} }
  #evaluation: Record<string, number> | undefined
  #evaluated = -1
  #drawn = -1
  readonly #began = performance.now()
  #loopBegan = 0
  #waited = 0
  #speedMark = { time: 0, iteration: 0 }
  #speed = 0

  private constructor(options: TrainingOptions<Batch>) {
    this.#options = options
    this.#variables = trainedVariables(options.model)
    this.#optimizer = new TrainingOptimizer(options, this.#variables.trainable)
    this.#step = new TrainingStep(options, this.#variables.trainable, this.#optimizer)
    this.#guard = new LossGuard(options.explosion ?? 100)
    this.#writes = options.folder !== undefined && (options.reducer?.rank ?? 0) === 0
  }

  /** Makes everything ready, and goes back to a checkpoint if that is asked for. */
  static async start<Batch extends Tensor[]>(options: TrainingOptions<Batch>): Promise<Training<Batch>> {
    const training = new Training(options)
    try {
      await training.#resume()
      if (training.#writes) training.#log = await TrainingLog.open(options.folder!, training.#iteration)
    } catch (error) {
      training.dispose()
      throw error
    }
    return training
  }

  /** Runs to the end. */
  async run(): Promise<TrainingResult> {
    const { iterations, batches, learningRate } = this.#options
    this.#loopBegan = performance.now()
    this.#speedMark = { time: this.#loopBegan, iteration: this.#iteration }
    this.#first = this.#iteration
    let stoppedBy: StopReason | undefined
    try {
      while (this.#iteration < iterations) {
        stoppedBy = await agreeToStop(this.#options.reducer, this.#wish())
        if (stoppedBy) break
        const iteration = this.#iteration
        const rate = scheduleValue(learningRate, iteration)
        this.#optimizer.learningRate = rate
        const reading = await this.#step.run(iteration, () => this.#wait(() => batches.next()))
        this.#iteration++
        await this.#follow(iteration, rate, reading)
        await this.#pauseAfter()
        await breathe()
      }
      await this.#drain()
      await this.#evaluate(true)
      await this.#draw(true)
      await this.#save()
    } catch (error) {
      await this.#dropPending()
      if (error instanceof DivergenceError) throw await this.#afterDivergence(error)
      throw error
    }
    return {
      iterations: this.#iteration,
      loss: this.#last.total,
      terms: this.#last.terms,
      seconds: this.#seconds(),
      stoppedBy: stoppedBy ?? 'iterations',
      waitShare: this.#waitShare(),
      ...(this.#evaluation && { evaluation: this.#evaluation }),
      ...(this.#checkpoint && { checkpoint: this.#checkpoint.path }),
    }
  }

  dispose(): void {
    this.#step.dispose()
    this.#optimizer.dispose()
  }

  #seconds = () => (performance.now() - this.#began) / 1000
  #waitShare = () => this.#waited / Math.max(1, performance.now() - this.#loopBegan)

  async #resume(): Promise<void> {
    const { folder, resume = false, reducer } = this.#options
    const warn = (error: CheckpointError) => console.warn(`${error.message}; going on with the one before`)
    let found: { checkpoint: Checkpoint; path: string } | undefined
    if (typeof resume === 'string' && resume !== 'auto') {
      found = resume.endsWith('.safetensors')
        ? { checkpoint: await readCheckpoint(resume), path: resume }
        : await readLatestCheckpoint(resume, warn)
      if (!found) throw new CheckpointError(`runTraining: there is no checkpoint in ${resume} to resume from`)
    } else if (folder !== undefined) {
      found = await readLatestCheckpoint(folder, warn)
      if (resume === true && !found)
        throw new CheckpointError(`runTraining: there is no checkpoint in ${folder} to resume from`)
      if (!resume && found) {
        throw new CheckpointError(
          `runTraining: folder ${folder} holds a training that got to iteration ${found.checkpoint.iteration}; resume it, or name another folder`,
        )
      }
    }
    if (!found) return
    const { checkpoint, path } = found
    const { rank = 0, size = 1 } = reducer ?? {}
    if (checkpoint.batches.length !== size) {
      throw new CheckpointError(
        `runTraining: checkpoint ${path} is of ${checkpoint.batches.length} processes, this run has ${size}; start as many`,
      )
    }
    restoreState(checkpoint.tensors, this.#variables, this.#optimizer, path)
    this.#options.batches.restore(checkpoint.batches[rank])
    this.#iteration = checkpoint.iteration
    this.#checkpoint = { path, iteration: checkpoint.iteration }
  }

  /** Why this process would stop now. */
  #wish(): StopReason | undefined {
    const { signal, seconds = Infinity } = this.#options
    if (signal?.aborted) return 'signal'
    return this.#seconds() >= seconds ? 'seconds' : undefined
  }

  async #wait<T>(f: () => Promise<T>): Promise<T> {
    const start = performance.now()
    const result = await f()
    this.#waited += performance.now() - start
    return result
  }

  /** Reads the losses of this iteration, if it is one to be read, without waiting for more than a few. */
  async #follow(iteration: number, learningRate: number, reading: LossReading): Promise<void> {
    const { logEvery = 10, iterations } = this.#options
    const done = iteration + 1
    const host = hasHostMemory()
    const due = host || done % logEvery === 0 || done === iterations || done % MOST_PENDING === 0
    if (!due && done > this.#first + 1) {
      reading.dispose()
      return
    }
    const values = reading.read()
    // It may fail before it is waited for.
    values.catch(() => {})
    this.#pending.push({ iteration, learningRate, values })
    // On the CPU it is there already.
    while (this.#pending.length > (host ? 0 : 1)) await this.#take()
  }

  async #take(): Promise<void> {
    const { iteration, learningRate, values } = this.#pending.shift()!
    const read = await values
    const { phase, logEvery = 10, iterations, onProgress } = this.#options
    this.#guard.check(iteration, read, phase?.(iteration) ?? 0)
    this.#last = read
    const now = performance.now()
    const done = iteration + 1
    if (now - this.#speedMark.time > 200 || this.#speed === 0) {
      this.#speed = (1000 * (done - this.#speedMark.iteration)) / Math.max(1e-3, now - this.#speedMark.time)
      this.#speedMark = { time: now, iteration: done }
    }
    const { total: loss, terms, gradientNorm } = read
    const waitShare = this.#waitShare()
    if (done % logEvery === 0 || done === iterations) {
      const rest = { learningRate, ...(gradientNorm !== undefined && { gradientNorm }) }
      await this.#log?.write({ iteration: done, loss, terms, ...rest, speed: this.#speed, waitShare })
    }
    onProgress?.({
      iteration: done,
      iterations,
      loss,
      terms,
      learningRate,
      speed: this.#speed,
      seconds: this.#seconds(),
      waitShare,
      ...(this.#evaluation && { evaluation: this.#evaluation }),
    })
  }

  async #drain(): Promise<void> {
    while (this.#pending.length > 0) await this.#take()
  }

  /** Evaluation, panel and checkpoint where they are due. */
  async #pauseAfter(): Promise<void> {
    const { evaluate, panel, checkpointEvery = 1000 } = this.#options
    const done = this.#iteration
    if (evaluate && done % evaluate.every === 0) await this.#evaluate()
    if (panel && done % panel.every === 0) await this.#draw()
    if (done % checkpointEvery === 0) await this.#save()
  }

  async #evaluate(last = false): Promise<void> {
    const { evaluate } = this.#options
    if (!evaluate || this.#evaluated === this.#iteration || (last && this.#iteration === this.#first)) return
    await this.#drain()
    this.#evaluation = await evaluate.run(this.#iteration)
    this.#evaluated = this.#iteration
    await this.#log?.write({ iteration: this.#iteration, evaluation: this.#evaluation })
  }

  async #draw(last = false): Promise<void> {
    const { panel } = this.#options
    if (
      !panel ||
      !this.#writes ||
      this.#drawn === this.#iteration ||
      (last && this.#iteration === this.#first)
    )
      return
    await this.#drain()
    const picture = await panel.draw(this.#iteration)
    this.#drawn = this.#iteration
    await this.#log!.writePanel(this.#iteration, picture)
  }

  async #save(): Promise<void> {
    const { folder, keepCheckpoints = 3, batches, reducer } = this.#options
    if (folder === undefined || this.#checkpoint?.iteration === this.#iteration) return
    await this.#drain()
    const iteration = this.#iteration
    const states = await gatherStates(reducer, batches.state())
    if (!this.#writes) return
    const tensors = await captureState(this.#variables, this.#optimizer)
    const wrong = findNotFinite(tensors)
    if (wrong !== undefined) {
      throw new DivergenceError(
        `runTraining: iteration ${iteration - 1}: "${wrong}" holds values that are no numbers after the update, though the loss was finite`,
      )
    }
    const path = await writeCheckpoint(folder, { iteration, tensors, batches: states }, keepCheckpoints)
    this.#checkpoint = { path, iteration }
    await this.#log?.write({ iteration, event: 'checkpoint' })
  }

  async #dropPending(): Promise<void> {
    await Promise.allSettled(this.#pending.map(({ values }) => values))
    this.#pending = []
  }

  /** Goes back to the last good checkpoint, and says so. */
  async #afterDivergence(error: DivergenceError): Promise<DivergenceError> {
    if (!this.#checkpoint)
      return new DivergenceError(`${error.message}; there is no checkpoint to go back to`)
    const { path, iteration } = this.#checkpoint
    const { tensors } = await readCheckpoint(path)
    restoreState(tensors, this.#variables, this.#optimizer, path)
    await this.#log?.write({ iteration: this.#iteration, event: error.message })
    return new DivergenceError(
      `${error.message}; the last good checkpoint is ${path}, of iteration ${iteration}`,
    )
  }
}
