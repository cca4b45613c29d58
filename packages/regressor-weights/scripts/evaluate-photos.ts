import type { MorphableModel } from '@facekit/morphable'
import type { FaceRegressor } from '@facekit/regressor'
import { renderFace } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import { photoLabels, type PhotoStore } from './photo-batches.js'

/** How well faces of held-out people are met: landmarks' error over sqrt(width x height) of their box, and the mean absolute colour
 * difference over the visible face with its standard deviation. */
export async function evaluatePhotos(
  regressor: FaceRegressor,
  model: MorphableModel,
  store: PhotoStore,
  { batch = 32, most = 320 } = {},
): Promise<{ landmarkError: number; colorError: number; colorDeviation: number }> {
  const numbers = store.heldOut.slice(0, most)
  let [errors, colors, squares, weights] = [0, 0, 0, 0]
  for (let first = 0; first < numbers.length; first += batch) {
    const chosen = numbers.slice(first, first + batch)
    const plain = chosen.flatMap(() => [0, 1, 1, 1])
    const result = tf.tidy(() => {
      const { picture, faceRegion, landmarks } = photoLabels(store.gather(chosen, plain))
      const size = store.size
      const found = renderFace(model, regressor.predict(picture), {
        width: size,
        height: size,
        contour: 'visible',
      })
      const seen = tf.mul(tf.step(tf.sub(faceRegion, 0.5)), tf.step(tf.sub(found.mask, 0.5)))
      const difference = tf.mul(tf.abs(tf.sub(picture, found.image)), seen)
      const sums = [difference, tf.square(difference), seen].map((x) => tf.sum(x))
      return { found: found.landmarks, landmarks, sums: tf.stack(sums) }
    })
    const [found, truth, sums] = await Promise.all(
      [result.found, result.landmarks, result.sums].map((tensor) => tensor.data()),
    )
    tf.dispose(result)
    colors += sums[0]
    squares += sums[1]
    weights += 3 * sums[2]
    for (let i = 0; i < chosen.length; i++) errors += landmarkError(found, truth, 136 * i)
  }
  const mean = colors / weights
  return {
    landmarkError: errors / numbers.length,
    colorError: mean,
    colorDeviation: Math.sqrt(Math.max(0, squares / weights - mean * mean)),
  }
}

/** As in @facekit/fit. */
function landmarkError(found: ArrayLike<number>, truth: ArrayLike<number>, at: number): number {
  let [left, right, top, bottom, total] = [Infinity, -Infinity, Infinity, -Infinity, 0]
  for (let i = at; i < at + 136; i += 2) {
    left = Math.min(left, truth[i])
    right = Math.max(right, truth[i])
    top = Math.min(top, truth[i + 1])
    bottom = Math.max(bottom, truth[i + 1])
    total += Math.hypot(found[i] - truth[i], found[i + 1] - truth[i + 1])
  }
  return total / 68 / Math.sqrt((right - left) * (bottom - top))
}

/** Pictures and what became of them, a face in each row: picture, rendering over it, diffuse, specular, rendering; `[H, W, 3]`
 * bytes as a PNG encoder wants them. */
export async function drawPanels(
  regressor: FaceRegressor,
  model: MorphableModel,
  picture: tf.Tensor4D,
): Promise<{ width: number; height: number; data: Uint8Array }> {
  const strip = tf.tidy(() => {
    const [B, size] = picture.shape
    const { image, mask, diffuse, specular } = renderFace(model, regressor.predict(picture), {
      width: size,
      height: size,
    })
    const overlay = tf.add(image, tf.mul(picture, tf.sub(1, mask)))
    const rows = tf.concat([picture, overlay, diffuse, specular, image], 2)
    return tf.reshape(rows, [B * size, 5 * size, 3])
  })
  const [height, width] = strip.shape
  const data = Uint8Array.from(await strip.data(), (value) =>
    Math.round(255 * Math.min(1, Math.max(0, value))),
  )
  strip.dispose()
  return { width, height, data }
}
