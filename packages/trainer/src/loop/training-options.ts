import type { ExchangeTimes } from '@facekit/engine'
import type { Scalar, Tensor, Variable } from '@tensorflow/tfjs-core'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { PictureArray } from '@facekit/export'
import type { GradientReducer } from '../ranks/gradient-reducer.js'

/** Where batches come from. The same state must give the same batches. */
export interface BatchSource<Batch extends Tensor[] = Tensor[]> {
  /** The next batch; whoever calls it disposes the tensors. */
  next(): Promise<Batch>
  /** Where the source stands after what `next` has given out, as plain JSON. */
  state(): unknown
  /** Goes on from where `state` was taken. */
  restore(state: unknown): void
  dispose?(): void
}

/** A number, or one for each iteration, counted from 0. */
export type Schedule = number | ((iteration: number) => number)

/** What is trained: a network of tfjs-layers, or variables by name. Variables that are not trainable, such as moving averages, are only
 * kept in the checkpoints. */
export type TrainedModel = LayersModel | { variables: Readonly<Record<string, Variable>> }

/** A loss and what it is made of, scalars. */
export interface TrainingLoss {
  /** What is minimised. */
  total: Scalar
  /** What is logged beside it, e.g. each term before its weight. */
  terms?: Readonly<Record<string, Scalar>>
}

/** How far a training is. */
export interface TrainingProgress {
  /** Iterations that are done, and how many there will be. */
  iteration: number
  iterations: number
  /** Of the last iteration that was read. */
  loss: number
  terms: Readonly<Record<string, number>>
  learningRate: number
  /** Iterations in a second, lately. */
  speed: number
  /** Since this call began. */
  seconds: number
  /** Share of that time in which the loop waited for `batches.next()`. */
  waitShare: number
  /** What the last evaluation gave. */
  evaluation?: Readonly<Record<string, number>>
}

/** Options of `runTraining`. */
export interface TrainingOptions<Batch extends Tensor[] = Tensor[]> {
  model: TrainedModel
  /** The loss of a batch. Runs in a recorded step: on WebGPU it is called a few times in each `phase`, its commands are then
   * repeated, so that `iteration` must change nothing but through `phase`. */
  loss: (iteration: number, ...batch: Batch) => TrainingLoss
  batches: BatchSource<Batch>
  /** Iterations in all, those before a resumption included; less than are done is an error. An iteration is one change of the variables. */
  iterations: number
  learningRate: Schedule
  /** Default `'adam'`. */
  optimizer?: 'adam' | 'adamw' | 'sgd'
  /** Of `'adamw'`: share of themselves that variables of two axes and more lose in a step, times the learning rate. Default 0.01. */
  weightDecay?: number
  /** Of `'sgd'`. Default 0. */
  momentum?: number
  /** Longest gradient, all variables taken together; a longer one is scaled down. Default: no limit. */
  clipNorm?: number
  /** Batches whose gradients are averaged before the variables change. Default 1. */
  accumulate?: number
  /** The loss is called anew whenever this changes: e.g. when a term starts to count. Default: never. */
  phase?: (iteration: number) => string | number
  /** For checkpoints, `log.jsonl`, TensorBoard events and panels. Node only. Default: nothing is written. */
  folder?: string
  /** Iterations between checkpoints; there is always one at the end. Default 1000. */
  checkpointEvery?: number
  /** Checkpoints that are kept, the newest ones. Default 3. */
  keepCheckpoints?: number
  /** Iterations between lines of the log. Default 10. */
  logEvery?: number
  /** The training stops after so long, with a checkpoint. Default: no limit. */
  seconds?: number
  /** Numbers about held-out data; also made at the end. */
  evaluate?: { every: number; run: (iteration: number) => Promise<Record<string, number>> }
  /** A picture to look at; also drawn at the end. */
  panel?: { every: number; draw: (iteration: number) => Promise<PictureArray> }
  /** `true`: go on from the newest whole checkpoint of `folder`; `'auto'`: if there is one; a path: from that checkpoint, or the newest
   * of that folder. Default false: the folder must not hold a training. */
  resume?: boolean | 'auto' | (string & {})
  /** A loss beyond this many times the least one so far, and above where it started, three times in a row, is an explosion. Default 100. */
  explosion?: number
  /** Stops the training after the iteration, with a checkpoint. */
  signal?: AbortSignal
  /** Called once everything has been checked and restored, before the first iteration and before anything is written.
   *
   * @param iteration - how many iterations are done: 0, or those of the checkpoint
   */
  onStart?: (iteration: number) => void | Promise<void>
  onProgress?: (progress: TrainingProgress) => void
  /** Averages gradients over processes. */
  reducer?: GradientReducer
}

/** How a training ended. */
export interface TrainingResult {
  /** Iterations that are done, those before a resumption included. */
  iterations: number
  /** Of the last iteration; NaN when none was done. */
  loss: number
  terms: Record<string, number>
  /** Of this call. */
  seconds: number
  stoppedBy: 'iterations' | 'seconds' | 'signal'
  /** Share of that time in which the loop waited for batches. */
  waitShare: number
  /** What exchanging gradients took in an iteration, on average of the last ones; in mixed precision with a reducer that gathers. */
  exchange?: ExchangeTimes
  /** What the last evaluation gave. */
  evaluation?: Record<string, number>
  /** The last checkpoint, if there is a folder. */
  checkpoint?: string
}
