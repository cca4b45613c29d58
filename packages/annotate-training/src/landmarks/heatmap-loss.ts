import * as tf from '@tensorflow/tfjs-core'
import { assertShape, ValueError } from '@facekit/core'
import { decodeHeatmaps, drawHeatmaps } from '@facekit/annotate'

/** Options of `heatmapLoss`. */
export interface HeatmapLossOptions {
  /** `'cross-entropy'`: of the distribution over the pixels whose logarithm the map is; `'squares'`: of the differences from the blobs, as in the
   * paper. Default `'cross-entropy'`. */
  kind?: 'cross-entropy' | 'squares'
  /** Standard deviation of the blobs, pixels of the heat map. Default 1. */
  sigma?: number
  /** Weight of the distance of `decodeHeatmaps` from the landmark, in pixels of the heat map; for `'cross-entropy'`. Default 0. */
  distance?: number
  /** `[B, L]` weight of each landmark, at least 0. Default: 1 inside of the picture, 0 outside. */
  weights?: tf.Tensor2D
}

/** How far heat maps are from landmarks, added up over the hourglasses.
 *
 * cross-entropy: `-sum_p g_p log softmax(h)_p + distance * |mean(h) - point|`, with g the blob, scaled to the sum 1, and p the pixels
 * squares: `sum_p (h_p - g_p)^2`; both averaged over the landmarks with their weights, and added over the hourglasses
 *
 * @param heatmaps - `[B, S, S, L]` of each hourglass, as `createLandmarkNetwork` gives them
 * @param points - `[B, L, 2]` the landmarks in pixels of the picture, which is four times as wide as a heat map; pixel centres at +0.5
 * @returns a scalar; 0 when no landmark has a weight
 * @differentiable heatmaps
 * @memory the caller owns the result
 * @throws {ShapeError} when shapes differ
 * @throws {ValueError} when `kind` is unknown
 */
export function heatmapLoss(
  heatmaps: tf.Tensor4D | tf.Tensor4D[],
  points: tf.Tensor3D,
  options: HeatmapLossOptions = {},
): tf.Scalar {
  const { kind = 'cross-entropy', sigma = 1, distance = 0 } = options
  if (kind !== 'cross-entropy' && kind !== 'squares') {
    throw new ValueError(`heatmapLoss: kind is "${String(kind)}", expected "cross-entropy" or "squares"`)
  }
  const stacks = Array.isArray(heatmaps) ? heatmaps : [heatmaps]
  const { B, S, L } = assertShape('heatmapLoss: heatmaps', stacks[0], ['B', 'S', 'S', 'L'])
  assertShape('heatmapLoss: points', points, [B, L, 2])
  if (options.weights) assertShape('heatmapLoss: weights', options.weights, [B, L])
  return tf.tidy(() => {
    const rows = (maps: tf.Tensor4D) => tf.reshape(tf.transpose(maps, [0, 3, 1, 2]), [B * L, S * S])
    const blobs = rows(drawHeatmaps(points, { size: S, sigma }))
    const mass = tf.sum(blobs, 1, true)
    const drawn = tf.div(blobs, tf.maximum(mass, 1e-6))
    const weights = tf.reshape(options.weights ?? insidePicture(points, 4 * S), [-1])
    const total = tf.maximum(tf.sum(weights), 1e-6)
    const losses = stacks.map((maps) => {
      const h = rows(maps)
      if (kind === 'squares') return tf.sum(tf.square(tf.sub(h, blobs)), 1)
      const entropy = crossEntropy(h, drawn)
      if (distance === 0) return entropy
      const offset = tf.mul(tf.sub(decodeHeatmaps(maps).points, points), 1 / 4)
      const length = tf.sqrt(tf.add(tf.sum(tf.square(offset), 2), 1e-6))
      return tf.add(entropy, tf.mul(tf.reshape(length, [-1]), distance))
    })
    return tf.div(tf.sum(tf.mul(tf.addN(losses), weights)), total) as tf.Scalar
  })
}

/** `-sum_p g_p log softmax(h)_p` of each row; the rows of `g` sum to 1 or 0. */
function crossEntropy(h: tf.Tensor, g: tf.Tensor): tf.Tensor {
  const operation = tf.customGrad((...inputs) => {
    const [rows, save] = inputs as [tf.Tensor, tf.GradSaveFunc]
    const shifted = tf.sub(rows, tf.max(rows, 1, true))
    const exponentials = tf.exp(shifted)
    const sum = tf.sum(exponentials, 1, true)
    const value = tf.neg(tf.sum(tf.mul(g, tf.sub(shifted, tf.log(sum))), 1))
    save([tf.sub(tf.mul(tf.div(exponentials, sum), tf.sum(g, 1, true)), g)])
    return { value, gradFunc: (dy: tf.Tensor, [slope]: tf.Tensor[]) => tf.mul(tf.expandDims(dy, 1), slope) }
  })
  return operation(h)
}

/** `[B, L]`: 1 inside, 0 outside. */
function insidePicture(points: tf.Tensor3D, size: number): tf.Tensor2D {
  const inside = tf.logicalAnd(tf.greater(points, 0), tf.less(points, size))
  return tf.min(tf.cast(inside, 'float32'), 2) as tf.Tensor2D
}
