import * as tf from '@tensorflow/tfjs-core'
import { assertDataType, assertInteger, assertShape, ShapeError, ValueError } from '@facekit/core'

/** Options of `segmentationLoss`. */
export interface SegmentationLossOptions {
  /** Weight of each class. Default: 1 each. See `classWeights`. */
  weights?: readonly number[]
  /** Label of pixels that don't count. Default 255. */
  ignore?: number
  /** Weight of each output of a network with deep supervision. Default: equal ones. They are divided by their sum. */
  outputs?: readonly number[]
}

/** Weighted cross-entropy of labels of pixels, over one or more outputs.
 *
 *     L = sum_k v_k  [ - sum_pc w_c t_pc log softmax(z_k)_pc ] / [ sum_pc w_c t_pc ]
 *
 * (pixel p, class c, output k). Where the logits are coarser than the labels, t_pc is the share of label c in the square that p stands for;
 * otherwise it is 1 or 0. Pixels to be ignored have t = 0. Without any pixel that counts the loss is 0.
 *
 * @param logits - `[B, h, w, C]`, or one such tensor for each output
 * @param labels - `[B, H, W]` int32, 0..C-1 or `ignore`; H = n h, W = n w
 * @returns a scalar, natural logarithm; about log C in the beginning
 * @differentiable logits
 * @memory the caller owns the result
 * @throws {ShapeError} when shapes do not fit, or there are not as many weights as classes or outputs
 * @throws {ValueError} when weights are negative, all zero or no numbers
 * @example
 * segmentationLoss(tf.zeros([1, 2, 2, 4]), tf.zeros([1, 4, 4], 'int32')) // log 4 = 1.386
 */
export function segmentationLoss(
  logits: tf.Tensor4D | readonly tf.Tensor4D[],
  labels: tf.Tensor3D,
  options: SegmentationLossOptions = {},
): tf.Scalar {
  const outputs = logits instanceof tf.Tensor ? [logits] : logits
  if (outputs.length === 0)
    throw new ShapeError('segmentationLoss: logits is an empty list, expected outputs')
  const { h, w, C } = assertShape('segmentationLoss: logits', outputs[0], ['B', 'h', 'w', 'C'])
  for (const other of outputs) assertShape('segmentationLoss: logits', other, outputs[0].shape)
  const { H, W } = assertShape('segmentationLoss: labels', labels, [outputs[0].shape[0], 'H', 'W'])
  assertDataType('segmentationLoss: labels', labels, 'int32')
  const factor = H / h
  if (!Number.isInteger(factor) || factor !== W / w) {
    throw new ShapeError(
      `segmentationLoss: labels is [${labels.shape.join(', ')}], expected ${h} x ${w} as the logits, or a multiple`,
    )
  }
  const { ignore = 255, weights = [], outputs: shares = outputs.map(() => 1) } = options
  assertInteger('segmentationLoss: ignore', ignore, -1, 2 ** 30)
  const classWeight = checkWeights(
    'weights',
    weights.length ? weights : Array.from({ length: C }, () => 1),
    C,
  )
  const share = checkWeights('outputs', shares, outputs.length)
  const sum = share.reduce((total, value) => total + value, 0)
  return tf.tidy(() => {
    const target = weightedTarget(labels, C, factor, ignore, classWeight)
    const count = tf.maximum(tf.sum(target), 1e-9)
    const terms = outputs.map((output, k) =>
      tf.mul(tf.sum(tf.mul(tf.logSoftmax(output), target)), -share[k] / sum),
    )
    return tf.div(tf.addN(terms), count) as tf.Scalar
  })
}

/** w_c t_pc: `[B, h, w, C]`. */
function weightedTarget(
  labels: tf.Tensor3D,
  classes: number,
  factor: number,
  ignore: number,
  weights: readonly number[],
): tf.Tensor4D {
  const counted = ignore >= 0 && ignore < classes ? weights.map((w, c) => (c === ignore ? 0 : w)) : weights
  // A label out of range (as `ignore` mostly is) gives a row of zeros.
  const exact = tf.oneHot(labels, classes, 1, 0) as tf.Tensor4D
  const shares = tf.cast(exact, 'float32')
  const pooled = factor > 1 ? tf.avgPool(shares, factor, factor, 'valid') : shares
  return tf.mul(pooled, tf.tensor1d([...counted]))
}

function checkWeights(name: string, weights: readonly number[], count: number): readonly number[] {
  if (weights.length !== count) {
    throw new ShapeError(`segmentationLoss: ${name} has ${weights.length} numbers, expected ${count}`)
  }
  if (
    !weights.every((value) => value >= 0 && Number.isFinite(value)) ||
    !weights.some((value) => value > 0)
  ) {
    throw new ValueError(`segmentationLoss: ${name} must be finite, not negative and not all zero`)
  }
  return weights
}

/** Weights that make rare classes count: proportional to frequency^-power, at most `limit`, 1 on average over all pixels.
 *
 * @param frequencies - share or number of pixels of each class; 0 for one that does not occur, which gets the largest weight
 * @param options - `power`: 0 gives equal weights, 1 gives all classes the same part in the loss, default 0.5; `limit`: largest
 *   weight as a multiple of the smallest, default 30
 * @throws {ValueError} when a frequency is negative or no number, or none is positive
 * @example
 * classWeights([75, 25], { power: 1 }) // [0.667, 2]
 */
export function classWeights(
  frequencies: ArrayLike<number>,
  options: { power?: number; limit?: number } = {},
): number[] {
  const { power = 0.5, limit = 30 } = options
  const counts = Array.from(frequencies)
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (!counts.every((count) => count >= 0 && Number.isFinite(count)) || !(total > 0)) {
    throw new ValueError(
      'classWeights: frequencies must be finite and not negative, with one positive at least',
    )
  }
  const most = Math.max(...counts)
  const relative = counts.map((count) => Math.min(limit, count > 0 ? (count / most) ** -power : limit))
  const mean = relative.reduce((sum, weight, c) => sum + (weight * counts[c]) / total, 0)
  return relative.map((weight) => weight / mean)
}
