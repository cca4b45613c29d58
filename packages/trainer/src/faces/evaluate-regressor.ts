import { disposeParameters } from '@facekit/parameters'
import type { MorphableModel } from '@facekit/morphable'
import { defaultCamera, renderFace, type Camera } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import type { PhotoBatch } from './face-batches.js'
import type { TrainableRegressor } from './face-loss.js'

/** How well a regressor finds faces. */
export interface RegressorScores extends Record<string, number> {
  /** Mean distance of the landmarks over the square root of the area of their box (as for AFLW2000-3D); 0.03 is 3 %. */
  landmarkError: number
  /** Mean absolute difference of encoded colours, 0..1, where the face region and the rendered face both are. */
  colorError: number
  /** Pictures that were looked at. */
  pictures: number
}

/** Regresses the faces of labelled photographs, renders them, and measures.
 *
 * @memory the caller still owns the batches; nothing else is left
 */
export async function evaluateRegressor(
  regressor: TrainableRegressor,
  model: MorphableModel,
  batches: Iterable<PhotoBatch> | AsyncIterable<PhotoBatch>,
  camera: Camera = defaultCamera,
): Promise<RegressorScores> {
  let [landmarkError, colorError, pictures] = [0, 0, 0]
  for await (const batch of batches) {
    const scores = tf.tidy(() => measure(regressor, model, batch, camera))
    const values = await scores.data()
    scores.dispose()
    const count = batch[0].shape[0]
    for (let i = 0; i < count; i++) {
      landmarkError += values[2 * i]
      colorError += values[2 * i + 1]
    }
    pictures += count
  }
  return { landmarkError: landmarkError / pictures, colorError: colorError / pictures, pictures }
}

/** `[B, 2]` both errors of each picture. */
function measure(
  regressor: TrainableRegressor,
  model: MorphableModel,
  [picture, faceRegion, , , landmarks]: PhotoBatch,
  camera: Camera,
): tf.Tensor {
  const [, height, width] = picture.shape
  const parameters = regressor.predict(picture)
  const rendering = renderFace(model, parameters, { width, height, camera, contour: 'visible' })
  disposeParameters(parameters)
  const distance = tf.mean(tf.norm(tf.sub(rendering.landmarks, landmarks), 'euclidean', 2), 1)
  const extent = tf.sub(tf.max(landmarks, 1), tf.min(landmarks, 1))
  const size = tf.sqrt(tf.prod(extent, 1))
  const seen = tf.mul(over(faceRegion), over(rendering.mask))
  const difference = tf.mul(tf.mean(tf.abs(tf.sub(rendering.image, picture)), 3, true), seen)
  const color = tf.div(tf.sum(difference, [1, 2, 3]), tf.maximum(tf.sum(seen, [1, 2, 3]), 1))
  return tf.stack([tf.div(distance, size), color], 1)
}

const over = (mask: tf.Tensor) => tf.cast(tf.greater(mask, 0.5), 'float32')
