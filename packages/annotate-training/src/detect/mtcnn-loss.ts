import * as tf from '@tensorflow/tfjs-core'
import { assertInRange, assertShape } from '@facekit/core'
import type { MtcnnStage } from '@facekit/annotate'

/** What is known of windows: see `mtcnnTargets` for how they are made. */
export interface MtcnnTargets {
  /** `[B]` 1 for a face, 0 for none. */
  face: tf.Tensor1D
  /** `[B, 4]` as the network's output `box`. */
  box: tf.Tensor2D
  /** `[B, 10]` as the network's output `points`. */
  points: tf.Tensor2D
  /** `[B, 3]` 1 where the window supervisionMask whether it is a face, where the box is, where the points are; else 0. */
  supervisionMask: tf.Tensor2D
}

/** Options of `mtcnnLoss`. */
export interface MtcnnLossOptions {
  /** Weights of the three tasks. Default 1, 0.5, 0.5; for the last stage 1, 0.5, 1. */
  weights?: readonly [face: number, box: number, points: number]
  /** Share of the windows, those with the largest loss, that the face task learns from. Default 0.7. */
  hardShare?: number
}

/** The losses of the three tasks of a stage of MTCNN, with online mining of hard examples.
 *
 * face: cross-entropy; box and points: squared distance (Zhang et al. 2016, equations 1 to 4). Each is averaged over the windows that teach it; of
 * the face task only over the 70 % with the largest loss.
 *
 * @param outputs - of `createMtcnnNetwork`: `[B, 2]`, `[B, 4]`, `[B, 10]`, or with maps of one pixel `[B, 1, 1, ...]`
 * @returns scalars: `total` and each task's, before its weight
 * @differentiable outputs
 * @memory the caller owns the results
 * @throws {ShapeError} when shapes differ
 * @throws {ValueError} when `hardShare` is not from 0 to 1
 */
export function mtcnnLoss(
  outputs: readonly tf.Tensor[],
  targets: MtcnnTargets,
  stage: MtcnnStage,
  options: MtcnnLossOptions = {},
): { total: tf.Scalar; face: tf.Scalar; box: tf.Scalar; points: tf.Scalar } {
  const { weights = [1, 0.5, stage === 'output' ? 1 : 0.5], hardShare = 0.7 } = options
  assertInRange('mtcnnLoss: hardShare', hardShare, 0, 1)
  const { B } = assertShape('mtcnnLoss: targets.face', targets.face, ['B'])
  assertShape('mtcnnLoss: targets.box', targets.box, [B, 4])
  assertShape('mtcnnLoss: targets.points', targets.points, [B, 10])
  assertShape('mtcnnLoss: targets.supervisionMask', targets.supervisionMask, [B, 3])
  return tf.tidy(() => {
    const [logits, box, points] = [2, 4, 10].map((width, i) => tf.reshape(outputs[i], [B, width]))
    const supervisionMask = tf.split(targets.supervisionMask, 3, 1).map((column) => tf.reshape(column, [B]))
    const [none, some] = tf.split(logits, 2, 1).map((column) => tf.reshape(column, [B]))
    // Cross-entropy of two classes is the soft plus of how much the wrong one is ahead.
    const ahead = tf.mul(tf.sub(none, some), tf.sub(tf.mul(targets.face, 2), 1))
    const entropy = tf.mul(tf.softplus(ahead), supervisionMask[0])
    const hard = tf.mul(hardest(entropy, hardShare), supervisionMask[0])
    const squares = (a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.square(tf.sub(a, b)), 1)
    const mean = (values: tf.Tensor, weight: tf.Tensor) =>
      tf.div(tf.sum(tf.mul(values, weight)), tf.maximum(tf.sum(weight), 1)) as tf.Scalar
    const losses = {
      face: mean(entropy, hard),
      box: mean(squares(box, targets.box), supervisionMask[1]),
      points: mean(squares(points, targets.points), supervisionMask[2]),
    }
    const parts = [losses.face, losses.box, losses.points].map((loss, i) => tf.mul(loss, weights[i]))
    return { total: tf.addN(parts) as tf.Scalar, ...losses }
  })
}

/** `[B]`: 1 for the largest values. No gradient flows through the choice. */
function hardest(values: tf.Tensor, share: number): tf.Tensor {
  const count = Math.max(1, Math.round(share * values.size))
  const choose = tf.customGrad((x) => {
    const largest = tf.topk(x as tf.Tensor, count).values
    const value = tf.cast(tf.greaterEqual(x as tf.Tensor, tf.min(largest)), 'float32')
    return { value, gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy) }
  })
  return choose(values)
}
