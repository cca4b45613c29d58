import { ValueError } from '@facekit/core'
import {
  type FaceParameters,
  type ParameterLayout,
  packParameters,
  unpackParameters,
} from '@facekit/parameters'
import { hybridLoss, type LossContext, type LossTerm } from '@facekit/losses'
import { evaluateShape, type MorphableModel } from '@facekit/morphable'
import { projectLandmarks, renderFace, transformVertices, type Camera } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { PhotoBatch, RenderedBatch } from './face-batches.js'
import { scheduleValue } from '../loop/schedules.js'
import type { SupervisedTerm } from './supervised-terms.js'
import type { TrainingLoss } from '../loop/training-options.js'

/** What of a regressor is trained; those of @facekit/regressor have it. */
export interface TrainableRegressor {
  readonly model: LayersModel
  readonly layout: ParameterLayout
  /** Side of the pictures, pixels. */
  readonly inputSize: number
  apply(images: tf.Tensor4D, options?: { training?: boolean }): FaceParameters
  predict(images: tf.Tensor4D): FaceParameters
}

/** What a face loss is made of. */
export interface FaceLossOptions {
  regressor: TrainableRegressor
  model: MorphableModel
  losses: readonly LossTerm[]
  supervision: readonly SupervisedTerm[]
  camera: Camera
  embed?: (images: tf.Tensor4D) => tf.Tensor2D
}

/** Side of the pictures that weights of landmark losses are meant for, pixels. */
const PAPER_SIZE = 224

/** Regresses faces, renders them, and compares: photographs by the hybrid loss, rendered faces by what is known of them. One pass through the network
 * for both, so that they share the statistics of batch normalisation.
 *
 * @param weights - of both parts
 */
export function faceLoss(
  options: FaceLossOptions,
  iteration: number,
  parts: { photographs?: PhotoBatch; rendered?: RenderedBatch },
  weights: { dataset: number; rendered: number },
): TrainingLoss {
  const { photographs, rendered } = parts
  const pictures = [photographs?.[0], rendered?.[0]].filter((picture) => picture !== undefined)
  if (pictures.length === 0)
    throw new ValueError(`train: iteration ${iteration} has neither photographs nor rendered faces`)
  const { regressor } = options
  const found = regressor.apply(concatPictures(pictures, regressor.inputSize), { training: true })
  const count = photographs?.[0].shape[0] ?? 0
  const [ofPhotographs, ofRendered] = splitParameters(found, count, regressor.layout)
  const losses: tf.Scalar[] = []
  const terms: Record<string, tf.Scalar> = {}
  if (photographs) {
    const loss = hybridLoss(options.losses, photoContext(options, photographs, ofPhotographs), iteration)
    losses.push(tf.mul(loss.total, weights.dataset))
    Object.assign(terms, loss.terms)
  }
  if (rendered) {
    const loss = supervisedLoss(options, rendered, ofRendered, iteration)
    losses.push(tf.mul(loss.total, weights.rendered))
    Object.assign(terms, loss.terms)
  }
  return { total: tf.addN(losses), terms }
}

function photoContext(
  { model, camera, embed }: FaceLossOptions,
  [inputImage, faceRegion, skinProbability, innerMouth, landmarks, inputEmbedding]: PhotoBatch,
  parameters: FaceParameters,
): LossContext {
  const [, height, width] = inputImage.shape
  const rendering = renderFace(model, parameters, { width, height, camera, contour: 'visible' })
  const unit = PAPER_SIZE / width
  return {
    inputImage,
    faceRegion,
    skinProbability,
    innerMouth,
    landmarks: scaled(landmarks, unit),
    rendering: { ...rendering, landmarks: scaled(rendering.landmarks, unit) },
    parameters,
    ...(embed && { embed }),
    // Of pictures without features the batch has a column of zeros.
    ...(embed && inputEmbedding && inputEmbedding.shape[1] > 1 && { inputEmbedding }),
  }
}

function supervisedLoss(
  { model, camera, supervision, regressor }: FaceLossOptions,
  [picture, landmarks, landmarkVisibility, packed]: RenderedBatch,
  found: FaceParameters,
  iteration: number,
): { total: tf.Scalar; terms: Record<string, tf.Scalar> } {
  const truth = unpackParameters(packed, regressor.layout)
  const [, height, width] = picture.shape
  const foundVertices = evaluateShape(model, found)
  const unit = PAPER_SIZE / width
  const { rotation } = found.pose
  const projected = projectLandmarks(transformVertices(foundVertices, found.pose), model, {
    width,
    height,
    camera,
    contour: 'visible',
    rotation,
  })
  const context = {
    found,
    truth,
    foundVertices,
    trueVertices: evaluateShape(model, truth),
    foundLandmarks: scaled(projected, unit),
    trueLandmarks: scaled(landmarks, unit),
    landmarkVisibility,
    model,
    camera,
  }
  const terms: Record<string, tf.Scalar> = {}
  const losses: tf.Scalar[] = [tf.scalar(0)]
  for (const { name, weight, compute } of supervision) {
    const factor = scheduleValue(weight, iteration)
    if (factor === 0) continue
    terms[name] = compute(context)
    losses.push(tf.mul(terms[name], factor))
  }
  return { total: tf.addN(losses), terms }
}

const scaled = (landmarks: tf.Tensor3D, unit: number): tf.Tensor3D =>
  unit === 1 ? landmarks : tf.mul(landmarks, unit)

/** One batch of all; pictures of different sizes in that of the network. */
function concatPictures(pictures: readonly tf.Tensor4D[], size: number): tf.Tensor4D {
  const alike = pictures.every(({ shape }) => shape[1] === pictures[0].shape[1])
  const resized = alike
    ? [...pictures]
    : pictures.map((picture) => tf.image.resizeBilinear(picture, [size, size], false, true))
  return tf.concat(resized, 0)
}

/** Parameters of the first `count` faces, and of the rest. */
function splitParameters(
  parameters: FaceParameters,
  count: number,
  layout: ParameterLayout,
): [FaceParameters, FaceParameters] {
  const batch = parameters.identity.shape[0]
  if (count === 0 || count === batch) return [parameters, parameters]
  const [first, rest] = tf.split(packParameters(parameters), [count, batch - count], 0) as tf.Tensor2D[]
  return [unpackParameters(first, layout), unpackParameters(rest, layout)]
}
