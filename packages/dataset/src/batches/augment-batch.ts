import * as tf from '@tensorflow/tfjs-core'
import type { Augmentation } from './augmentation.js'

/** Moves pictures by matrices, in the current backend.
 *
 * @param pictures - `[B, S, S, C]`
 * @param matrices - from pixels of the pictures to those of the result, 2 x 3 each
 * @param border - `'repeat'` the outermost pixels outside, or `'zero'`
 * @returns `[B, size, size, C]`
 */
export function warpBatch(
  pictures: tf.Tensor4D,
  matrices: readonly (readonly number[])[],
  size: number,
  border: 'repeat' | 'zero',
): tf.Tensor4D {
  const inverse = matrices.flatMap(([a, b, c, d, e, f]) => {
    const determinant = a * e - b * d
    const [A, B, D, E] = [e / determinant, -b / determinant, -d / determinant, a / determinant]
    // Here pixel centres are whole numbers.
    const x = A * (0.5 - c) + B * (0.5 - f) - 0.5
    const y = D * (0.5 - c) + E * (0.5 - f) - 0.5
    return [A, B, x, D, E, y, 0, 0]
  })
  const fill = border === 'repeat' ? 'nearest' : 'constant'
  const warp = (images: tf.Tensor4D, transforms: tf.Tensor2D) =>
    tf.image.transform(images, transforms, 'bilinear', fill, 0, [size, size])
  return tf.tidy(() => {
    const transforms = tf.tensor2d(inverse, [matrices.length, 8])
    // The kernel of tfjs 4.22 for the backend cpu ends after the first picture.
    if (tf.getBackend() !== 'cpu') return warp(pictures, transforms)
    const each = tf.split(transforms, matrices.length)
    const single = tf.split(pictures, matrices.length) as tf.Tensor4D[]
    return tf.concat(single.map((picture, i) => warp(picture, each[i] as tf.Tensor2D)))
  })
}

/** Brightness of a colour, by channel (Rec. 601). */
const LUMA = [0.299, 0.587, 0.114]

/** Changes the colours of pictures: saturation, then contrast about middle grey and tint, then brightness; cut off at 0 and 1.
 *
 * @param images - `[B, S, S, 3]` encoded, 0..1
 */
export function augmentColors(images: tf.Tensor4D, changes: readonly Augmentation[]): tf.Tensor4D {
  const B = changes.length
  return tf.tidy(() => {
    const saturation = tf.tensor4d(
      changes.map((change) => change.saturation),
      [B, 1, 1, 1],
    )
    const gain = tf.tensor4d(
      changes.flatMap(({ contrast, tint }) => tint.map((value) => value * contrast)),
      [B, 1, 1, 3],
    )
    const offset = tf.tensor4d(
      changes.flatMap(({ contrast, tint, brightness }) =>
        tint.map((value) => 0.5 * (1 - contrast) * value + brightness),
      ),
      [B, 1, 1, 3],
    )
    const gray = tf.sum(tf.mul(images, tf.tensor1d(LUMA)), 3, true)
    const saturated = tf.add(gray, tf.mul(tf.sub(images, gray), saturation))
    return tf.clipByValue(tf.add(tf.mul(saturated, gain), offset), 0, 1)
  })
}
