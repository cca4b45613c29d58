import * as tf from '@tensorflow/tfjs-core'

/** Means of values over the distributions that heat maps are the logarithms of.
 *
 *     h = maps filter        m_kl = sum_p v_kp exp(h_pl) / sum_p exp(h_pl)
 *
 * @param maps - `[B, S, S, C]`
 * @param filter - `[1, 1, C, L]` draws the heat maps of L points
 * @param values - `[B, K, S S]`
 * @returns `[B, K, L]`
 */
export type HeatmapMoments = (maps: tf.Tensor4D, filter: tf.Tensor4D, values: tf.Tensor3D) => tf.Tensor3D

/** For training. Nothing is transposed, and nothing of the heat maps' size is kept for the gradient but the exponentials. */
export const trainableMoments: HeatmapMoments = (maps, filter, values) => {
  const [batch, size] = maps.shape
  const count = filter.shape[3]
  const heat = tf.reshape(tf.conv2d(maps, filter, 1, 'same'), [batch, size * size, count])
  const ones = tf.ones([batch, 1, size * size])
  const sums = weightedSums(heat as tf.Tensor3D, tf.concat([ones, values], 1) as tf.Tensor3D)
  const mass = tf.slice(sums, [0, 0, 0], [-1, 1, -1])
  return tf.div(tf.slice(sums, [0, 1, 0], [-1, -1, -1]), mass)
}

/** For inference: rows of pixels, over which every backend has a fast softmax. */
export const inferenceMoments: HeatmapMoments = (maps, filter, values) => {
  const [batch, size, , channels] = maps.shape
  const rows = tf.transpose(tf.reshape(filter, [channels, -1]) as tf.Tensor2D)
  const results = tf.unstack(maps).map((picture, i) => {
    const columns = tf.transpose(tf.reshape(picture, [size * size, channels])) as tf.Tensor2D
    const shares = tf.softmax(tf.matMul(rows, columns)) // (L, P)
    const own = tf.reshape(tf.slice(values, [i, 0, 0], [1, -1, -1]), [-1, size * size]) as tf.Tensor2D
    return tf.transpose(tf.matMul(shares, tf.transpose(own)))
  })
  return (batch === 1 ? tf.expandDims(results[0], 0) : tf.stack(results)) as tf.Tensor3D
}

/** `sum_p v_kp exp(h_pl - max_q h_ql)`. The maximum carries no gradient: it cancels out in the division.
 *
 * @param maps - `[B, P, L]`
 * @param values - `[B, K, P]`
 */
function weightedSums(maps: tf.Tensor3D, values: tf.Tensor3D): tf.Tensor3D {
  const operation = tf.customGrad((...inputs) => {
    const [h, v, save] = inputs as unknown as [tf.Tensor3D, tf.Tensor3D, tf.GradSaveFunc]
    const exponentials = tf.exp(tf.sub(h, tf.max(h, 1, true)))
    save([exponentials, v])
    return {
      value: tf.matMul(v, exponentials),
      gradFunc: (dm: tf.Tensor, saved: tf.Tensor[]) => {
        const [e, weights] = saved as [tf.Tensor3D, tf.Tensor3D]
        return [
          tf.mul(e, tf.matMul(weights, dm as tf.Tensor3D, true)),
          tf.matMul(dm as tf.Tensor3D, e, false, true),
        ]
      },
    }
  })
  return operation(maps, values) as tf.Tensor3D
}
