import { ShapeError, ValueError } from '@facekit/core'
import type { LossTerm } from '@facekit/losses'
import type { MorphableModel } from '@facekit/morphable'
import { defaultCamera, type Camera } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import { evaluateRegressor } from './evaluate-regressor.js'
import {
  mixedBatches,
  mixedWeights,
  splitMixedBatch,
  type PhotoBatch,
  type RenderedBatch,
} from './face-batches.js'
import { faceLoss, type TrainableRegressor } from './face-loss.js'
import { drawFacePanel } from './face-panel.js'
import { paperRecipe } from './paper-recipe.js'
import { runTraining } from '../loop/run-training.js'
import { scheduleValue } from '../loop/schedules.js'
import { supervisedTerms, type SupervisedTerm } from './supervised-terms.js'
import type { BatchSource, Schedule, TrainingOptions, TrainingResult } from '../loop/training-options.js'

/** Options of `train`; those that are not here are of `runTraining`, with the defaults of `paperRecipe`. */
export interface TrainOptions extends Partial<
  Omit<TrainingOptions, 'model' | 'loss' | 'batches' | 'phase' | 'evaluate' | 'panel'>
> {
  regressor: TrainableRegressor
  /** The face model that the regressor's coefficients are of. */
  model: MorphableModel
  /** Photographs, for the losses through the renderer. */
  dataset?: BatchSource<PhotoBatch>
  /** Rendered faces, for the losses on parameters. */
  rendered?: BatchSource<RenderedBatch>
  /** Losses on photographs. Default: the paper's, without identity where there is no `embed`. */
  losses?: readonly LossTerm[]
  /** Losses on rendered faces. Default `supervisedTerms()`. */
  supervision?: readonly SupervisedTerm[]
  /** How much photographs and rendered faces count; what counts 0 is not drawn. Default 1 each. */
  datasetWeight?: Schedule
  renderedWeight?: Schedule
  /** A face recognition network, differentiable: `[B, S, S, 3]` to `[B, D]`, e.g. of @facekit/annotate. */
  embed?: (images: tf.Tensor4D) => tf.Tensor2D
  /** Default `defaultCamera`. */
  camera?: Camera
  /** Labelled photographs of other people; the caller keeps them. `faces` of the first batch are drawn. */
  heldOut?: { batches: readonly PhotoBatch[]; every: number; faces?: number }
}

/** Trains a regressor of faces: photographs through the renderer with the hybrid loss (self-supervised), rendered faces by their known
 * parameters (supervised), or both at once. With nothing else given it is the paper's recipe.
 *
 * Checkpoints, log, resumption and end are those of `runTraining`.
 *
 * @memory leaves no tensors behind; the caller keeps regressor, model, sources and held-out batches
 * @throws {ValueError} when there is neither `dataset` nor `rendered`
 * @throws {ShapeError} when the regressor is not of the model
 * @throws as `runTraining`
 * @example
 * await train({ regressor, model, rendered: renderedBatches(synthesizer), iterations: 2000, learningRate: 1e-3, folder: 'runs/tiny' })
 */
export async function train(options: TrainOptions): Promise<TrainingResult> {
  const {
    regressor,
    model,
    dataset,
    rendered,
    embed,
    heldOut,
    camera = defaultCamera,
    supervision = supervisedTerms(),
    datasetWeight = 1,
    renderedWeight = 1,
    losses: ownLosses,
    ...rest
  } = options
  checkSources(options)
  const { batch: _, losses: paperLosses, ...recipe } = paperRecipe({ identity: embed !== undefined })
  const losses = ownLosses ?? paperLosses
  const sources = { dataset, rendered, datasetWeight, renderedWeight }
  const loss = { regressor, model, losses, supervision, camera, ...(embed && { embed }) }
  // A recorded step computes what it did when it was made: there is one for each set of weights.
  const phase = (iteration: number) =>
    [
      ...Object.values(mixedWeights(sources, iteration)),
      ...[...losses, ...supervision].map(({ weight }) => scheduleValue(weight, iteration)),
    ].join()
  return runTraining<tf.Tensor[]>({
    ...recipe,
    ...rest,
    model: regressor.model,
    loss: (iteration, ...batch) => {
      const weights = mixedWeights(sources, iteration)
      return faceLoss(loss, iteration, splitMixedBatch(batch, weights), weights)
    },
    batches: mixedBatches(sources, rest.accumulate),
    phase,
    ...(heldOut && {
      evaluate: {
        every: heldOut.every,
        run: () => evaluateRegressor(regressor, model, heldOut.batches, camera),
      },
    }),
    ...(heldOut &&
      rest.folder !== undefined && {
        panel: { every: heldOut.every, draw: () => drawHeldOut(options, heldOut) },
      }),
  })
}

async function drawHeldOut(
  { regressor, model, camera }: TrainOptions,
  { batches, faces = 4 }: NonNullable<TrainOptions['heldOut']>,
) {
  const [pictures] = batches[0]
  const [batch, height, width] = pictures.shape
  const shown = tf.slice(pictures, [0, 0, 0, 0], [Math.min(faces, batch), height, width, 3])
  try {
    return await drawFacePanel(regressor, model, shown, camera)
  } finally {
    shown.dispose()
  }
}

function checkSources({ regressor, model, dataset, rendered, heldOut }: TrainOptions): void {
  if (!dataset && !rendered)
    throw new ValueError(
      'train: there is neither dataset nor rendered, expected photographs, rendered faces or both',
    )
  if (heldOut && heldOut.batches.length === 0)
    throw new ValueError('train: heldOut.batches is empty, expected at least one batch')
  for (const part of ['identity', 'expression', 'albedo'] as const) {
    const [has, needs] = [regressor.layout[part], model.layout[part]]
    if (has === needs) continue
    throw new ShapeError(
      `train: the regressor gives ${has} ${part} coefficients, model "${model.name}" needs ${needs}; pass model.layout to createRegressor`,
    )
  }
}
