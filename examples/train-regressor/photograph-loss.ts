import { hybridLoss, paperLossTerms } from '@facekit/losses'
import type { MorphableModel } from '@facekit/morphable'
import type { FaceParameters } from '@facekit/parameters'
import { defaultCamera, renderFace } from '@facekit/render'
import { plausibilityTerms, type TrainingLoss } from '@facekit/trainer'
import * as tf from '@tensorflow/tfjs-core'
import type { FacePoints } from './face-points.js'
import type { PhotographBatch } from './photograph-batches.js'
import { lossWeights, regressorLoss } from './regressor-loss.js'

/** What a fit says of photographs is no truth, and nothing of light and albedo. */
const { identity, coefficients, expression, blendshapes, points, depths, openings, rotation } = lossWeights
const fitWeights = {
  identity: identity / 2,
  coefficients,
  expression,
  blendshapes,
  points,
  depths,
  openings,
  rotation,
}
/** Of the paper's losses, all together. */
const HYBRID = 2
/** The paper's, but for the network of identity, with weights that go with those of the rest; jaws, whose outline is vague, count less. */
const hybridWeights = {
  identity: 0,
  photometric: 3,
  landmark: 0.008,
  innerMouth: 1.3e-3,
  regularization: 1e-3,
  uniform: 0.2,
}
const landmarkWeights = Array.from({ length: 68 }, (_, k) => (k < 17 ? 4 : k < 27 ? 10 : k < 36 ? 8 : 18))

/** The losses on photographs: distances from what a fit of their dense landmarks says, and the paper's hybrid loss through the renderer. */
export function photographLoss(model: MorphableModel) {
  const hybrid = [
    ...paperLossTerms({
      weights: hybridWeights,
      landmarkWeights,
      regularizationWeights: { expression: 0 },
    }),
    ...plausibilityTerms(model, {
      pointLight: 0.01,
      ...(model.shape.expressionRange && { expressionRange: 1 }),
    }),
  ]
  return (found: FaceParameters, face: FacePoints, batch: PhotographBatch): TrainingLoss => {
    const [images, places, visibility, packed, masks, landmarks] = batch
    const [, height, width] = images.shape
    const fitted = regressorLoss(found, face, [images, places, visibility, packed], fitWeights)
    const rendering = renderFace(model, found, { width, height, camera: defaultCamera, contour: 'visible' })
    const [faceRegion, skinProbability, innerMouth] = tf.split(masks, 3, 3)
    const seen = hybridLoss(
      hybrid,
      {
        inputImage: images,
        faceRegion,
        skinProbability,
        innerMouth,
        landmarks,
        rendering,
        parameters: found,
      },
      0,
    )
    const terms = { ...fitted.terms, ...seen.terms }
    return { total: tf.add(fitted.total, tf.mul(seen.total, HYBRID)), terms } as TrainingLoss
  }
}
