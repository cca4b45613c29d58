import * as tf from '@tensorflow/tfjs-core'
import { assertInRange, assertShape } from '@facekit/core'

/** Options of `tripletLoss`. */
export interface TripletLossOptions {
  /** How much farther strangers shall be than one's own pictures, in squared distance. Default 0.2. */
  margin?: number
  /** Which stranger each pair is held against. `'semi-hard'`: the nearest that is farther than the pair's own distance, and the farthest where
   * all are nearer; `'hard'`: the nearest of all. Default `'semi-hard'`. */
  mining?: 'semi-hard' | 'hard'
}

/** Larger than any squared distance of embeddings of length 1 that anybody uses. */
const FAR = 1e6

/** The triplet loss of FaceNet (Schroff et al. 2015, Eq. 3) over all pairs of pictures of one person in a batch:
 * `mean of max(0, |a - p|^2 - |a - n|^2 + margin)`, n mined for each pair (a, p).
 *
 * @param embeddings - `[B, D]`, usually of length 1
 * @param people - `[B]` int32: who each is
 * @returns a scalar; 0 for a batch in which nobody is there twice, or everybody is the same
 * @differentiable embeddings; the choice of n is a constant
 * @memory the caller owns the result; B^3 numbers in between
 * @throws {ShapeError} when the shapes do not fit
 * @throws {ValueError} when `margin` is negative
 */
export function tripletLoss(
  embeddings: tf.Tensor2D,
  people: tf.Tensor1D,
  options: TripletLossOptions = {},
): tf.Scalar {
  const { margin = 0.2, mining = 'semi-hard' } = options
  const { B } = assertShape('tripletLoss: embeddings', embeddings, ['B', 'D'])
  assertShape('tripletLoss: people', people, ['B'], { B })
  assertInRange('tripletLoss: margin', margin, 0, Infinity)
  return tf.tidy(() => {
    const isSame = tf.equal(tf.reshape(people, [B, 1]), tf.reshape(people, [1, B]))
    const isOther = tf.logicalNot(isSame)
    // One's own picture is no pair; where there is no stranger at all nothing can be held against one.
    const others = tf.sub(tf.cast(isSame, 'float32'), tf.eye(B))
    const pairs = tf.mul(others, tf.cast(tf.any(isOther, 1, true), 'float32')) as tf.Tensor2D
    const mine = mining === 'hard' ? nearest : semiHard
    return excessOfPairs(squaredDistances(embeddings), pairs, (distances) => mine(distances, isOther), margin)
  })
}

/** `[B, B]` squared Euclidean distances. */
function squaredDistances(points: tf.Tensor2D): tf.Tensor2D {
  const squares = tf.sum(tf.square(points), 1, true)
  const products = tf.matMul(points, points, false, true)
  // Rounding can make that of a point to itself negative.
  return tf.relu(tf.sub(tf.add(squares, tf.transpose(squares)), tf.mul(products, 2))) as tf.Tensor2D
}

/** Mean over pairs of `max(0, own distance - that of the stranger + margin)`.
 *
 * One custom gradient: to each row of distances come a +1 where a pair counts and a -1 at its stranger.
 *
 * @param pairs - `[B, B]` 1 or 0
 * @param mine - gives the stranger of each pair, `[B, B]` int32
 */
function excessOfPairs(
  distances: tf.Tensor2D,
  pairs: tf.Tensor2D,
  mine: (distances: tf.Tensor2D) => tf.Tensor2D,
  margin: number,
): tf.Scalar {
  const operation = tf.customGrad((input, save) => {
    const own = input as tf.Tensor2D
    const count = own.shape[0]
    const chosen = tf.oneHot(mine(own), count, 1, 0, 'float32')
    const strangers = tf.sum(tf.mul(chosen, tf.reshape(own, [count, 1, count])), 2)
    const excess = tf.mul(tf.relu(tf.add(tf.sub(own, strangers), margin)), pairs)
    const share = tf.div(1, tf.maximum(tf.sum(pairs), 1))
    const active = tf.mul(tf.step(excess), share) as tf.Tensor2D
    const pushed = tf.sum(tf.mul(chosen, tf.reshape(active, [count, count, 1])), 1)
    ;(save as (tensors: tf.Tensor[]) => void)([tf.sub(active, pushed)])
    return {
      value: tf.mul(tf.sum(excess), share),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(dy, saved[0]),
    }
  })
  return operation(distances) as tf.Scalar
}

/** Each row's nearest stranger. */
function nearest(distances: tf.Tensor2D, isOther: tf.Tensor): tf.Tensor2D {
  const count = distances.shape[0]
  const row = tf.argMin(tf.where(isOther, distances, tf.fill(distances.shape, FAR)), 1)
  return tf.tile(tf.reshape(row, [count, 1]), [1, count]) as tf.Tensor2D
}

/** For each pair of anchor and positive: the nearest stranger that is farther than the positive, else the farthest. */
function semiHard(distances: tf.Tensor2D, isOther: tf.Tensor): tf.Tensor2D {
  const count = distances.shape[0]
  const strangers = tf.reshape(distances, [count, 1, count])
  const isFarther = tf.greater(strangers, tf.reshape(distances, [count, count, 1]))
  const isCandidate = tf.logicalAnd(isFarther, tf.reshape(isOther, [count, 1, count]))
  const spread = tf.tile(strangers, [1, count, 1])
  const farther = tf.argMin(tf.where(isCandidate, spread, tf.fill(spread.shape, FAR)), 2)
  const farthest = tf.argMax(tf.where(isOther, distances, tf.fill(distances.shape, -1)), 1)
  const rest = tf.tile(tf.reshape(farthest, [count, 1]), [1, count])
  return tf.where(tf.any(isCandidate, 2), farther, rest) as tf.Tensor2D
}
