import type { DensePrediction } from '@facekit/annotate'
import { assertShape, ShapeError } from '@facekit/core'
import * as tf from '@tensorflow/tfjs-core'

/** What is true of a batch; lengths in widths of the pictures. */
export type DenseTargets = {
  /** `[B, L, 2]` */
  positions: tf.Tensor3D
  /** `[B, N]` */
  depths: tf.Tensor2D
  /** `[B, N]` 1 where a point is seen, 0 where it is hidden. */
  visibility: tf.Tensor2D
  /** `[B, K]` standard deviations. */
  identity: tf.Tensor2D
}

/** Options of `denseLandmarkLoss`. */
export interface DenseLandmarkLossOptions {
  /** `'distances'` for a start: places learn by their distances, deviations by likelihood; `'likelihood'`: both by likelihood.
   * Default `'likelihood'`. */
  kind?: 'distances' | 'likelihood'
  /** Beta of the likelihood: a point counts by its deviation to this power (Seitzer et al., ICLR 2022), 0 for the plain likelihood, in which
   * points that are hard to find hardly count. Default 0.5. */
  beta?: number
  /** Weight of a hidden point. Default 0.3. */
  hidden?: number
  /** `[N]` weights of the mesh's points: more for lids and lips, say. Default: all 1. */
  pointWeights?: Float32Array
  /** Weights of the parts beside the positions' 1. Default depths 0.3, openings 0.3, identity 0.1. */
  weights?: { depths?: number; openings?: number; identity?: number }
}

/** Upper and lower lids, and upper and lower inner lips, of the 68. */
const OPENINGS = [
  [37, 41],
  [38, 40],
  [43, 47],
  [44, 46],
  [61, 67],
  [62, 66],
  [63, 65],
] as const
/** What distances are measured in while they count by themselves, in widths of the picture. */
const UNIT = 0.02
/** In deviations: what is farther off was not understood, and must not drown the rest (Huber 1964). */
const FAR = 3
/** Rounds the tip of a distance at 0, in that unit. */
const TIP = 0.05
/** Points farther outside of the picture than this don't count: the network has no pixels for them. */
const MARGIN = 0.02

/** How far a network's points, depths and identity are from the true ones, and how honest its deviations are.
 *
 * likelihood, of places with one deviation for both directions: `sigma^beta (|d|^2 / (2 sigma^2) + 2 log sigma)`, the first factor without a gradient;
 * of depths and identity: `sigma^beta (d^2 / (2 sigma^2) + log sigma)`; beyond three deviations the squares go on as straight lines
 * openings: mean distance of the vectors from lower to upper lids and lips, where both are seen
 *
 * @returns total and parts before their weights, scalars
 * @differentiable prediction
 * @memory the caller owns the results
 * @throws {ShapeError} when shapes differ
 */
export function denseLandmarkLoss(
  prediction: DensePrediction,
  targets: DenseTargets,
  options: DenseLandmarkLossOptions = {},
): { total: tf.Scalar; terms: Record<'positions' | 'depths' | 'openings' | 'identity', tf.Scalar> } {
  const { kind = 'likelihood', beta = 0.5, hidden = 0.3, weights = {}, pointWeights } = options
  const { B, L } = assertShape('denseLandmarkLoss: positions', prediction.positions, ['B', 'L', 2])
  const { N } = assertShape('denseLandmarkLoss: depths', prediction.depths, [B, 'N'])
  assertShape('denseLandmarkLoss: targets.positions', targets.positions, [B, L, 2])
  assertShape('denseLandmarkLoss: targets.depths', targets.depths, [B, N])
  assertShape('denseLandmarkLoss: targets.visibility', targets.visibility, [B, N])
  if (pointWeights && pointWeights.length !== N)
    throw new ShapeError(
      `denseLandmarkLoss: pointWeights has ${pointWeights.length} numbers, expected ${N}: one for each point of the mesh`,
    )
  assertShape('denseLandmarkLoss: targets.identity', targets.identity, prediction.identity.shape)
  return tf.tidy(() => {
    const inside = withinPicture(targets.positions)
    const plain = tf.add(tf.mul(targets.visibility, 1 - hidden), hidden)
    const seen = pointWeights ? tf.mul(plain, tf.tensor1d(pointWeights)) : plain
    const counted = tf.mul(tf.concat([seen, tf.ones([B, L - N])], 1), inside)
    const offset = tf.sub(prediction.positions, targets.positions)
    const part = (square: tf.Tensor, deviations: tf.Tensor, weight: tf.Tensor, axes: 1 | 2, unit: number) =>
      weightedMean(
        kind === 'likelihood'
          ? likelihood(square, deviations, axes, beta, unit)
          : tf.add(distance(square, unit), likelihood(fixed(square), deviations, axes, 0, unit)),
        weight,
      )
    const mesh = tf.slice(counted, [0, 0], [-1, N])
    const terms = {
      positions: part(tf.sum(tf.square(offset), 2), prediction.logDeviations, counted, 2, UNIT),
      depths: part(
        tf.squaredDifference(prediction.depths, targets.depths),
        prediction.logDepthDeviations,
        mesh,
        1,
        UNIT,
      ),
      openings: openings(offset, targets.visibility),
      identity:
        prediction.identity.shape[1] === 0
          ? tf.scalar(0)
          : part(
              tf.squaredDifference(prediction.identity, targets.identity),
              prediction.logIdentityDeviations,
              tf.onesLike(prediction.identity),
              1,
              1,
            ),
    }
    const { depths = 0.3, openings: lids = 0.3, identity = 0.1 } = weights
    const total = tf.addN([
      terms.positions,
      tf.mul(terms.depths, depths),
      tf.mul(terms.openings, lids),
      tf.mul(terms.identity, identity),
    ]) as tf.Scalar
    return { total, terms }
  })
}

function likelihood(
  square: tf.Tensor,
  logDeviations: tf.Tensor,
  axes: 1 | 2,
  beta: number,
  unit: number,
): tf.Tensor {
  const relative = tf.sub(logDeviations, Math.log(unit))
  const length = tf.mul(tf.sqrt(tf.add(tf.div(square, unit ** 2), 1e-8)), tf.exp(tf.neg(relative)))
  const near = tf.minimum(length, FAR)
  // Half the square, and beyond FAR a straight line.
  const misfit = tf.mul(near, tf.sub(length, tf.mul(near, 0.5)))
  const value = tf.add(misfit, tf.mul(relative, axes))
  return beta === 0 ? value : tf.mul(value, fixed(tf.exp(tf.mul(relative, beta))))
}

const distance = (square: tf.Tensor, unit: number) =>
  tf.sub(tf.sqrt(tf.add(tf.div(square, unit ** 2), TIP ** 2)), TIP)

/** The same numbers, through which no gradient flows. */
const fixed = (x: tf.Tensor): tf.Tensor =>
  tf.customGrad((input) => ({
    value: tf.clone(input as tf.Tensor),
    gradFunc: (dy) => tf.zerosLike(dy),
  }))(x)

function openings(offset: tf.Tensor3D | tf.Tensor, visibility: tf.Tensor2D): tf.Scalar {
  const pick = (tensor: tf.Tensor, side: 0 | 1) =>
    tf.gather(
      tensor,
      tf.tensor1d(
        OPENINGS.map((pair) => pair[side]),
        'int32',
      ),
      1,
    )
  const square = tf.sum(tf.squaredDifference(pick(offset, 0), pick(offset, 1)), 2)
  return weightedMean(distance(square, UNIT / 2), tf.mul(pick(visibility, 0), pick(visibility, 1)))
}

/** `[B, L]` 1 inside, 0 outside. */
function withinPicture(positions: tf.Tensor3D): tf.Tensor {
  const inside = tf.logicalAnd(tf.greater(positions, -MARGIN), tf.less(positions, 1 + MARGIN))
  return tf.min(tf.cast(inside, 'float32'), 2)
}

const weightedMean = (values: tf.Tensor, weights: tf.Tensor): tf.Scalar =>
  tf.div(tf.sum(tf.mul(values, weights)), tf.maximum(tf.sum(weights), 1))
