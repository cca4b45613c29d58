import { disposeParameters } from '@facekit/parameters'
import { composePanels, type PictureArray } from '@facekit/export'
import type { MorphableModel } from '@facekit/morphable'
import { defaultCamera, renderFace, type Camera } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import type { TrainableRegressor } from './face-loss.js'

const LABELS = ['picture', 'over it', 'face', 'diffuse', 'specular']

/** Draws what a regressor makes of pictures: for each a row with the picture, the face over it, and the face alone.
 *
 * @param pictures - `[B, S, S, 3]` encoded 0..1
 * @returns `[H, W, 3]` bytes
 * @memory the caller still owns the pictures
 */
export async function drawFacePanel(
  regressor: TrainableRegressor,
  model: MorphableModel,
  pictures: tf.Tensor4D,
  camera: Camera = defaultCamera,
): Promise<PictureArray> {
  const [batch, height, width] = pictures.shape
  const all = tf.tidy(() => {
    const parameters = regressor.predict(pictures)
    const rendering = renderFace(model, parameters, { width, height, camera })
    disposeParameters(parameters)
    const { image, mask, diffuse, specular } = rendering
    const over = tf.add(tf.mul(image, mask), tf.mul(pictures, tf.sub(1, mask)))
    return tf.stack([pictures, over, image, diffuse, specular], 1)
  })
  const values = (await all.data()) as Float32Array
  all.dispose()
  const size = height * width * 3
  const rows = Array.from({ length: batch }, (_, row) => {
    const shown = LABELS.map((_, i) => {
      const at = (row * LABELS.length + i) * size
      return ndarray(values.slice(at, at + size), [height, width, 3])
    })
    return composePanels(shown, row === 0 ? LABELS : undefined)
  })
  const total = rows.reduce((sum, { shape }) => sum + shape[0], 0)
  const data = new Uint8Array(total * rows[0].shape[1] * 3)
  let at = 0
  for (const row of rows) {
    data.set(row.data, at)
    at += row.data.length
  }
  return ndarray(data, [total, rows[0].shape[1], 3])
}
