import { CheckpointError, lockFile, LockError, removeTemporaryFiles, type FileLock } from '@facekit/core'
import { synchronizeBatchNormalization } from '@facekit/engine'
import type { Tensor } from '@tensorflow/tfjs-core'
import { yieldToEventLoop } from './yield-to-event-loop.js'
import { checkpointPath, readCheckpoint, writeCheckpoint } from './checkpoint.js'
import { findResumption } from './find-resumption.js'
import { DivergenceError } from './loss-guard.js'
import { LossMonitor } from './loss-monitor.js'
import {
  agreeOnBatch,
  agreeToStop,
  BatchError,
  gatherStates,
  type StopReason,
} from '../ranks/reduce-helpers.js'
import { scheduleValue } from './schedules.js'
import { trainedVariables, type TrainedVariables } from './trained-variables.js'
import { TrainingLog } from '../log/training-log.js'
import { TrainingOptimizer } from './training-optimizer.js'
import type { TrainingOptions, TrainingResult } from './training-options.js'
import { captureState, findNotFinite, restoreState } from './training-state.js'
import { TrainingStep } from './training-step.js'
import { writeTrainingReport } from '../log/training-report.js'

/** File by which a process has a folder for itself. */
const LOCK = '.facekit-lock'
/** Files that are written under a temporary name. */
const OWN =
  /^(checkpoint-\d{9}\.safetensors|latest|log\.jsonl|report\.html|config\.json|regressor\.safetensors)$/

/** A training that is under way. */
export class Training<Batch extends Tensor[]> {
  readonly #options: TrainingOptions<Batch>
  readonly #variables: TrainedVariables
  readonly #optimizer: TrainingOptimizer
  readonly #step: TrainingStep<Batch>
  readonly #writes: boolean
  #log: TrainingLog | undefined
  #lock: FileLock | undefined
  #made = false
  #monitor!: LossMonitor
  /** Iterations that are done, and how many were when it began. */
  #iteration = 0
  #first = 0
  /** Where the batches stood after the last iteration. */
  #batches: unknown
  #checkpoint: { path: string; iteration: number } | undefined
  /** Iteration of the last checkpoint, which all processes know. */
  #saved = -1
  #evaluation: Record<string, number> | undefined
  #evaluated = -1
  #drawn = -1
  readonly #began = performance.now()
  #loopBegan = performance.now()
  #waited = 0

  private constructor(options: TrainingOptions<Batch>) {
    this.#options = options
    this.#variables = trainedVariables(options.model)
    this.#optimizer = new TrainingOptimizer(options, this.#variables.trainable)
    this.#step = new TrainingStep(options, this.#variables.trainable, this.#optimizer)
    this.#writes = options.folder !== undefined && (options.reducer?.rank ?? 0) === 0
  }

  /** Makes everything ready, and goes back to a checkpoint if that is asked for. */
  static async start<Batch extends Tensor[]>(options: TrainingOptions<Batch>): Promise<Training<Batch>> {
    const training = new Training(options)
    try {
      await training.#prepare()
    } catch (error) {
      await training.dispose()
      await training.#removeFolder()
      throw error
    }
    return training
  }

  async #prepare(): Promise<void> {
    const { reducer, batches, folder } = this.#options
    if (this.#writes) await this.#lockFolder(folder!)
    const found = await findResumption(this.#options)
    if (found) {
      const { checkpoint, path } = found
      this.#checkResumable(checkpoint.iteration, path)
      restoreState(checkpoint.tensors, this.#variables, this.#optimizer, path)
      batches.restore(checkpoint.batches[reducer?.rank ?? 0])
      this.#iteration = checkpoint.iteration
      this.#checkpoint = { path, iteration: checkpoint.iteration }
      this.#saved = checkpoint.iteration
    }
    await this.#options.onStart?.(this.#iteration)
    if (this.#writes) this.#log = await TrainingLog.open(folder!, this.#iteration)
    // Nobody starts before all have read what the first of them is about to write.
    await agreeToStop(reducer, undefined)
    if (reducer) synchronizeBatchNormalization((values) => reducer.allReduceSync(values))
    this.#first = this.#iteration
    this.#batches = batches.state()
    this.#loopBegan = performance.now()
    this.#monitor = new LossMonitor(this.#options, this.#log, this.#iteration, () => this.#clock())
    // A training that was ended after its last step says the same as one that was not.
    const { loss, terms = {}, evaluation } = this.#log?.before ?? {}
    if (loss !== undefined) this.#monitor.last = { total: loss, terms }
    if (evaluation) this.#evaluation = evaluation
  }

  /** What a training that did not begin has made. */
  async #removeFolder(): Promise<void> {
    const { rmdir } = await import('node:fs/promises')
    if (this.#made) await rmdir(this.#options.folder!).catch(() => {})
  }

  /** One training at a time in a folder: the files of two would mix. */
  async #lockFolder(folder: string): Promise<void> {
    const { mkdir } = await import('node:fs/promises')
    const { join } = await import('node:path')
    try {
      this.#made = (await mkdir(folder, { recursive: true })) !== undefined
      this.#lock = await lockFile(join(folder, LOCK), `trains in ${folder}`)
      await removeTemporaryFiles(folder, (name) => OWN.test(name))
      await removeTemporaryFiles(join(folder, 'panels'), () => true)
    } catch (error) {
      if (error instanceof LockError) throw error
      // Of rank 0 alone: no error that all processes come to.
      throw new LockError(`runTraining: folder ${folder} cannot be written: ${(error as Error).message}`, {
        cause: error,
      })
    }
  }

  /** @throws {CheckpointError} when the folder is not the one that the training began in */
  async #assertFolder(): Promise<void> {
    if (!this.#lock || (await this.#lock.isHeld())) return
    throw new CheckpointError(
      `runTraining: folder ${this.#options.folder} was removed or replaced while the training ran; its files are lost, start it again`,
    )
  }

  /** @throws {CheckpointError} when the checkpoint is of a later iteration than the last one */
  #checkResumable(done: number, path: string): void {
    const { iterations } = this.#options
    if (done <= iterations) return
    throw new CheckpointError(
      `runTraining: iterations is ${iterations}, checkpoint ${path} has ${done} done; ask for at least ${done}, or begin anew in another folder`,
    )
  }

  /** Runs to the end. */
  async run(): Promise<TrainingResult> {
    let stoppedBy: StopReason | undefined
    try {
      stoppedBy = await this.#loop()
      await this.#monitor.drain()
      await this.#evaluate(true)
      await this.#draw(true)
      await this.#save()
      await this.#assertFolder()
      if (this.#writes) await writeTrainingReport(this.#options.folder!)
    } catch (error) {
      await this.#monitor.drop()
      throw await this.#afterFailure(error)
    }
    const { total: loss, terms } = this.#monitor.last
    const { seconds, waitShare } = this.#clock()
    return {
      iterations: this.#iteration,
      loss,
      terms,
      seconds,
      stoppedBy: stoppedBy ?? 'iterations',
      waitShare,
      ...(this.#step.exchange && { exchange: this.#step.exchange }),
      ...(this.#evaluation && { evaluation: this.#evaluation }),
      ...(this.#checkpoint && { checkpoint: this.#checkpoint.path }),
    }
  }

  async dispose(): Promise<void> {
    await this.#lock?.release()
    if (this.#options.reducer) synchronizeBatchNormalization()
    this.#step.dispose()
    this.#optimizer.dispose()
  }

  async #loop(): Promise<StopReason | undefined> {
    const { iterations, batches, learningRate, reducer } = this.#options
    while (this.#iteration < iterations) {
      const stop = await agreeToStop(reducer, this.#stopRequest())
      if (stop) return stop
      const iteration = this.#iteration
      const rate = scheduleValue(learningRate, iteration)
      this.#optimizer.learningRate = rate
      const reading = await this.#step.run(iteration, () => this.#nextBatch())
      this.#iteration++
      this.#batches = batches.state()
      await this.#monitor.follow(iteration, rate, reading)
      await this.#pauseAfter()
      await yieldToEventLoop()
    }
    return undefined
  }

  /** Why this process would stop now. */
  #stopRequest(): StopReason | undefined {
    const { signal, seconds = Infinity } = this.#options
    if (signal?.aborted) return 'signal'
    return this.#clock().seconds >= seconds ? 'seconds' : undefined
  }

  #clock() {
    const now = performance.now()
    return {
      seconds: (now - this.#began) / 1000,
      waitShare: this.#waited / Math.max(1, now - this.#loopBegan),
      ...(this.#evaluation && { evaluation: this.#evaluation }),
    }
  }

  async #nextBatch(): Promise<Batch> {
    const { batches, reducer } = this.#options
    const start = performance.now()
    try {
      return await agreeOnBatch(reducer, () => batches.next())
    } finally {
      this.#waited += performance.now() - start
    }
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
    const iteration = this.#iteration
    if (!evaluate || this.#evaluated === iteration || (last && iteration === this.#first)) return
    await this.#monitor.drain()
    this.#evaluation = await evaluate.run(iteration)
    this.#evaluated = iteration
    await this.#log?.write({ iteration, evaluation: this.#evaluation })
  }

  async #draw(last = false): Promise<void> {
    const { panel } = this.#options
    const iteration = this.#iteration
    if (!panel || !this.#log || this.#drawn === iteration || (last && iteration === this.#first)) return
    await this.#monitor.drain()
    this.#drawn = iteration
    await this.#log.writePanel(iteration, await panel.draw(iteration))
  }

  async #save(): Promise<void> {
    const { folder, keepCheckpoints = 3, reducer } = this.#options
    const iteration = this.#iteration
    if (folder === undefined || this.#saved === iteration) return
    await this.#monitor.drain()
    const batches = await gatherStates(reducer, this.#batches)
    // All processes have the same, and find out together.
    const tensors = await captureState(this.#variables, this.#optimizer)
    const wrong = findNotFinite(tensors)
    if (wrong !== undefined) {
      throw new DivergenceError(
        `runTraining: iteration ${iteration - 1}: "${wrong}" holds values that became NaN or infinite in the update, though the loss was finite`,
      )
    }
    this.#saved = iteration
    await this.#assertFolder()
    if (this.#writes) await writeCheckpoint(folder, { iteration, tensors, batches }, keepCheckpoints)
    // Rank 0 alone writes, but all go back to it: they can fail in a later iteration only, in which rank 0, too, takes part.
    this.#checkpoint = { path: await checkpointPath(folder, iteration), iteration }
    await this.#log?.write({ iteration, event: 'checkpoint' })
  }

  /** Leaves things in order after an error, and says where to go on. */
  async #afterFailure(error: unknown): Promise<unknown> {
    const { reducer } = this.#options
    if (error instanceof BatchError) {
      // All processes know, and nothing has changed since the last iteration.
      await this.#save()
      return new BatchError(`${error.message}${this.#resumeHint()}`, { cause: error.cause })
    }
    if (error instanceof DivergenceError) {
      await this.#log?.write({ iteration: this.#iteration, event: error.message })
      if (this.#writes) await writeTrainingReport(this.#options.folder!)
      if (!this.#checkpoint)
        return new DivergenceError(`${error.message}; there is no checkpoint to go back to`)
      const { path, iteration } = this.#checkpoint
      const { tensors } = await readCheckpoint(path)
      restoreState(tensors, this.#variables, this.#optimizer, path)
      return new DivergenceError(
        `${error.message}; the last good checkpoint is ${path}, of iteration ${iteration}`,
      )
    }
    // The others would wait for this process for ever.
    reducer?.abort(`${error instanceof Error ? error.message : String(error)}${this.#resumeHint()}`)
    return error
  }

  #resumeHint(): string {
    return this.#checkpoint ? `; resume from ${this.#checkpoint.path}` : ''
  }
}
