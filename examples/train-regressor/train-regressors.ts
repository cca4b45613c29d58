import { ValueError } from '@facekit/core'
import { layersWeights } from '@facekit/engine'
import type { MorphableModel } from '@facekit/morphable'
import { packParameters, unpackParameters, type FaceParameters } from '@facekit/parameters'
import type { FaceRegressor } from '@facekit/regressor'
import {
  evaluateRegressor,
  runTraining,
  type BatchSource,
  type PhotoBatch,
  type TrainingLoss,
  type TrainingProgress,
  type TrainingResult,
} from '@facekit/trainer'
import * as tf from '@tensorflow/tfjs-core'
import type { FacePoints } from './face-points.js'
import { PHOTOGRAPH_TENSORS, type PhotographBatch } from './photograph-batches.js'
import { photographLoss } from './photograph-loss.js'
import type { RegressorBatch } from './regressor-batches.js'
import { distillationLoss, regressorLoss } from './regressor-loss.js'
import { regressorScores } from './regressor-scores.js'

/** Options of `trainRegressors`. */
export interface TrainRegressorsOptions {
  /** By name; all of one face model. They learn side by side from the same pictures, each by itself. */
  regressors: Readonly<Record<string, FaceRegressor>>
  /** Which ones also learn from what another of them finds, by their names: `{ mobile: 'resnet50' }`. */
  teachers?: Readonly<Record<string, string>>
  face: FacePoints
  batches: BatchSource<RegressorBatch>
  /** Of pictures that the training never sees. */
  heldOut: readonly RegressorBatch[]
  /** Labelled photographs beside them, and some of other people. */
  photographs?: {
    model: MorphableModel
    batches: BatchSource<PhotographBatch>
    heldOut: readonly PhotographBatch[]
  }
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

/** Trains regressors on rendered faces, and on photographs, if there are any; goes on from the newest checkpoint of `folder`, if there is one.
 *
 * Their gradients do not meet, and each learns as it would alone but for the common limit of the gradients' length.
 */
export async function trainRegressors(options: TrainRegressorsOptions): Promise<TrainingResult> {
  const { regressors, teachers = {}, face, iterations, seconds, photographs, part = [0, 1] } = options
  checkTeachers(teachers, regressors)
  const { learningRate = 5e-4, rise = 1000, clipNorm = 50 } = options
  const start = performance.now()
  const share = (iteration: number) => {
    const passed =
      seconds === undefined ? iteration / iterations : (performance.now() - start) / 1000 / seconds
    return seconds === undefined ? passed : part[0] + (part[1] - part[0]) * Math.min(1, passed)
  }
  const ofPhotographs = photographs && photographLoss(photographs.model)
  return runTraining<tf.Tensor[]>({
    model: { variables: variablesOf(regressors) },
    batches: both(options.batches, photographs?.batches),
    loss: (_, ...batch): TrainingLoss => {
      const [rendered, seen] = splitBatch(batch)
      const totals: tf.Tensor[] = []
      const terms: Record<string, tf.Scalar> = {}
      const add = (kind: string, loss: TrainingLoss) => {
        totals.push(loss.total)
        for (const [term, value] of Object.entries({ total: loss.total, ...loss.terms }))
          terms[`${kind}/${term}`] = value
      }
      const found = Object.fromEntries(
        Object.entries(regressors).map(([name, regressor]) => [
          name,
          applied(regressor, rendered[0], seen?.[0]),
        ]),
      )
      for (const [name, [drawn, photographed]] of Object.entries(found)) {
        add(name, regressorLoss(drawn, face, rendered))
        if (seen && ofPhotographs) add(`${name}/photographs`, ofPhotographs(photographed!, face, seen))
        const teacher = found[teachers[name]]
        if (!teacher) continue
        const distilled = distillationLoss(drawn, teacher[0], face)
        add(`${name}/distilled`, { total: distilled, terms: {} })
      }
      return { total: tf.addN(totals) as tf.Scalar, terms }
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
      run: () => evaluate(options),
    },
    ...(options.signal && { signal: options.signal }),
    ...(options.onProgress && { onProgress: options.onProgress }),
  })
}

function checkTeachers(
  teachers: Readonly<Record<string, string>>,
  regressors: TrainRegressorsOptions['regressors'],
): void {
  for (const [name, teacher] of Object.entries(teachers)) {
    if (name === teacher || !regressors[name] || !regressors[teacher])
      throw new ValueError(
        `trainRegressors: teachers has ${name}: ${teacher}, expected two different ones of ${Object.keys(regressors).join(', ')}`,
      )
  }
}

/** Rendered faces, then photographs. */
function both(
  rendered: BatchSource<RegressorBatch>,
  photographs?: BatchSource<PhotographBatch>,
): BatchSource<tf.Tensor[]> {
  if (!photographs) return rendered
  return {
    next: async () => [...(await rendered.next()), ...(await photographs.next())],
    state: () => ({ rendered: rendered.state(), photographs: photographs.state() }),
    restore(state) {
      const stored = state as { rendered?: unknown; photographs?: unknown }
      // A training that began without photographs goes on with them.
      rendered.restore(stored.rendered ?? state)
      if (stored.photographs) photographs.restore(stored.photographs)
    },
  }
}

function splitBatch(batch: tf.Tensor[]): [RegressorBatch, PhotographBatch?] {
  const rendered = batch.slice(0, RENDERED_TENSORS) as RegressorBatch
  return batch.length === RENDERED_TENSORS
    ? [rendered]
    : [rendered, batch.slice(-PHOTOGRAPH_TENSORS) as PhotographBatch]
}

const RENDERED_TENSORS = 4

/** One pass through the network, so that both kinds of pictures share the statistics of batch normalisation. */
function applied(
  regressor: FaceRegressor,
  rendered: tf.Tensor4D,
  photographs?: tf.Tensor4D,
): [FaceParameters, FaceParameters?] {
  const { layout } = regressor
  const pictures = photographs ? tf.concat([rendered, photographs], 0) : rendered
  const found = regressor.apply(pictures as tf.Tensor4D, { training: true })
  if (!photographs) return [found]
  const counts = [rendered.shape[0], photographs.shape[0]]
  const [first, rest] = tf.split(packParameters(found), counts, 0) as tf.Tensor2D[]
  return [unpackParameters(first, layout), unpackParameters(rest, layout)]
}

async function evaluate({
  regressors,
  face,
  heldOut,
  photographs,
}: TrainRegressorsOptions): Promise<Record<string, number>> {
  const scores: Record<string, number> = {}
  for (const [name, regressor] of Object.entries(regressors)) {
    const own = await regressorScores(regressor.predict, regressor.layout, face, heldOut)
    for (const [score, value] of Object.entries(own)) scores[`${name}/${score}`] = value
    if (!photographs) continue
    const seen = await photographScores(regressor, photographs)
    for (const [score, value] of Object.entries(seen)) scores[`${name}/photographs/${score}`] = value
  }
  return scores
}

/** `landmarks` in per cent and `color` as of `evaluateRegressor`, against what `annotate` says. */
async function photographScores(
  regressor: FaceRegressor,
  { model, heldOut }: NonNullable<TrainRegressorsOptions['photographs']>,
): Promise<Record<string, number>> {
  const batches = heldOut.map(([picture, , , , masks, landmarks]) => {
    const [faceRegion, skinProbability, innerMouth] = tf.split(masks, 3, 3)
    return [picture, faceRegion, skinProbability, innerMouth, landmarks] as PhotoBatch
  })
  const { landmarkError, colorError } = await evaluateRegressor(regressor, model, batches)
  tf.dispose(batches.flatMap(([, ...[region, skin, mouth]]) => [region, skin, mouth]))
  return { landmarks: 100 * landmarkError, color: colorError }
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
