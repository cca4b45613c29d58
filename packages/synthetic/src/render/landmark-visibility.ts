import * as tf from '@tensorflow/tfjs-core'

/** What a millimetre is in z / w, 1 m away from the renderer's camera. */
const MILLIMETRE = 1e-4

/** Which landmarks are in the picture with nothing before them.
 *
 * @param landmarks - `[B, L, 2]` pixels, or `[B, L, 3]` with something else behind
 * @param depths - `[B, L, 1]` z / w
 * @param nearest - `[B, S, S, 1]` z / w of what is seen
 * @param covered - `[B, S, S, 1]` 1 where something flat lies over everything
 * @param tolerance - `[B, 1]` mm that a landmark may lie behind what is seen there
 * @returns `[B, L]` 0 or 1
 */
export function landmarkVisibility(
  landmarks: tf.Tensor3D,
  depths: tf.Tensor3D,
  nearest: tf.Tensor4D,
  covered: tf.Tensor4D,
  tolerance: tf.Tensor,
): tf.Tensor2D {
  const [batch, size] = nearest.shape
  const count = landmarks.shape[1]
  const places = tf.slice(landmarks, [0, 0, 0], [-1, -1, 2])
  const inside = tf.min(
    tf.cast(tf.logicalAnd(tf.greaterEqual(places, 0), tf.less(places, size)), 'float32'),
    2,
  )
  const pixels = tf.clipByValue(tf.floor(places), 0, size - 1)
  const [x, y] = [0, 1].map((c) => tf.reshape(tf.slice(pixels, [0, 0, c], [-1, -1, 1]), [batch, count]))
  const first = tf.mul(tf.expandDims(tf.range(0, batch), 1), size * size)
  const rows = tf.cast(tf.add(tf.add(tf.mul(y, size), x), first), 'int32')
  const both = tf.reshape(tf.concat([nearest, covered], 3), [batch * size * size, 2])
  const found = tf.gather(both, tf.reshape(rows, [batch * count]) as tf.Tensor1D)
  const [depth, flat] = [0, 1].map((c) => tf.reshape(tf.slice(found, [0, c], [-1, 1]), [batch, count]))
  const near = tf.lessEqual(tf.reshape(depths, [batch, count]), tf.add(depth, tf.mul(tolerance, MILLIMETRE)))
  const free = tf.less(flat, 0.5)
  return tf.mul(inside, tf.cast(tf.logicalAnd(near, free), 'float32')) as tf.Tensor2D
}
