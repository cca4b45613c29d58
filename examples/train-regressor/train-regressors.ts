import type { FaceRegressor } from '@facekit/regressor'
import { layersWeights } from '@facekit/engine'
import {
  runTraining,
  type BatchSource,
  type TrainingLoss,
  type TrainingProgress,
  type TrainingResult,
} from '@facekit/trainer'
import * as tf from '@tensorflow/tfjs-core'
import type { FacePoints } from './face-points.js'
import type { RegressorBatch } from './regressor-batches.js'
import { regressorLoss } from './regressor-loss.js'
import { regressorScores } from './regressor-scores.js'

/** Options of `trainRegressors`. */
export interface TrainRegressorsOptions {
  /** By name; all of one face model. They learn side by side from the same pictures, each by itself. */
  regressors: Readonly<Record<string, FaceRegressor>>
  face: FacePoints
  batches: BatchSource<RegressorBatch>
  /** Of pictures that the training never sees. */
  heldOut: readonly RegressorBatch[]
  /** At most. */
  iterations: number
  /** The schedule that this call takes: from this share of the whole training to that one; both 0..1. Default [0, 1]. */
  part?: readonly [number, number]
  /** This call ends after so long, with a checkpoint, and the schedule goes with the time. Default: it goes with the iterations. */
  seconds?: number
  /** At its height, after a rise; falls to nothing along a cosine. Default 5e-4. */
  learningRate?: number
  /** Iterations in which it rises. Default 1000. */
  rise?: number
  clipNorm?: number
  folder?: string
  checkpointEvery?: number
  evaluateEvery?: number
  signal?: AbortSignal
  onProgress?: (progress: TrainingProgress) => void
}

/** Trains regressors on rendered faces; goes on from the newest checkpoint of `folder`, if there is one.
 *
 * Their gradients do not meet, and each learns as it would alone but for the common limit of the gradients' length.
 */
export async function trainRegressors(options: TrainRegressorsOptions): Promise<TrainingResult> {
  const { regressors, face, batches, heldOut, iterations, seconds, part = [0, 1] } = options
  const { learningRate = 5e-4, rise = 1000, clipNorm = 50 } = options
  const start = performance.now()
  const share = (iteration: number) => {
    const passed =
      seconds === undefined ? iteration / iterations : (performance.now() - start) / 1000 / seconds
    return seconds === undefined ? passed : part[0] + (part[1] - part[0]) * Math.min(1, passed)
  }
  const names = Object.keys(regressors)
  return runTraining<RegressorBatch>({
    model: { variables: variablesOf(regressors) },
    batches,
    loss: (_, ...batch): TrainingLoss => {
      const losses = names.map((name) => regressorLoss(regressors[name], face, batch))
      const terms = losses.flatMap(({ total, terms }, i) =>
        Object.entries({ total, ...terms }).map(([term, value]) => [`${names[i]}/${term}`, value] as const),
      )
      return { total: tf.addN(losses.map(({ total }) => total)), terms: Object.fromEntries(terms) }
    },
    iterations,
    ...(seconds !== undefined && { seconds }),
    learningRate: (iteration) =>
      learningRate * Math.min(1, (iteration + 1) / rise) * (0.5 + 0.5 * Math.cos(Math.PI * share(iteration))),
    clipNorm,
    ...(options.folder !== undefined && { folder: options.folder }),
    ...(options.checkpointEvery !== undefined && { checkpointEvery: options.checkpointEvery }),
    keepCheckpoints: 1,
    resume: options.folder === undefined ? false : 'auto',
    evaluate: {
      every: options.evaluateEvery ?? 2000,
      run: () => evaluate(regressors, face, heldOut),
    },
    ...(options.signal && { signal: options.signal }),
    ...(options.onProgress && { onProgress: options.onProgress }),
  })
}

async function evaluate(
  regressors: TrainRegressorsOptions['regressors'],
  face: FacePoints,
  heldOut: readonly RegressorBatch[],
): Promise<Record<string, number>> {
  const scores: Record<string, number> = {}
  for (const [name, { predict, layout }] of Object.entries(regressors)) {
    const own = await regressorScores(predict, layout, face, heldOut)
    for (const [score, value] of Object.entries(own)) scores[`${name}/${score}`] = value
  }
  return scores
}

/** By names that are the same in every process. */
function variablesOf(regressors: TrainRegressorsOptions['regressors']): Record<string, tf.Variable> {
  const variables: Record<string, tf.Variable> = {}
  for (const [regressor, { model }] of Object.entries(regressors)) {
    const trained = new Set(model.trainableWeights.map(({ originalName }) => originalName))
    for (const { name, value } of layersWeights(model)) {
      const variable = value as tf.Variable
      // Layers that are not trained have variables that could be.
      variable.trainable = trained.has(name)
      variables[`${regressor}/${name}`] = variable
    }
  }
  return variables
}
