import * as tf from '@tensorflow/tfjs-core'
import type { DenseFeatures } from './dense-graph.js'
import { trainableMoments, type HeatmapMoments } from './soft-moments.js'

/** How many points the network finds. */
export interface DenseCounts {
  /** N, points of the mesh. */
  points: number
  /** Points of the visible outline, after those of the mesh. */
  outline: number
  /** K, identity coefficients. */
  identity: number
}

/** What the network says of pictures; L = N + outline. Lengths in widths of the picture. */
export type DensePrediction = {
  /** `[B, L, 2]` x and y, 0..1 within the picture. */
  positions: tf.Tensor3D
  /** `[B, L]` logarithms of standard deviations along any direction. */
  logDeviations: tf.Tensor2D
  /** `[B, N]` towards the camera, from the mean of the points. */
  depths: tf.Tensor2D
  /** `[B, N]` */
  logDepthDeviations: tf.Tensor2D
  /** `[B, K]` identity coefficients in standard deviations, and the logarithms of theirs. */
  identity: tf.Tensor2D
  logIdentityDeviations: tf.Tensor2D
}

/** Weights of the last layers. */
export interface HeadWeights {
  /** `[1, 1, C, L]` */
  heatmaps: tf.Tensor4D
  /** `[1, 1, C, 3]` and `[3]`: maps of what is looked up where a point is: depth, and shares of both logarithms of deviations. */
  local: tf.Tensor4D
  localBias: tf.Tensor1D
  /** `[F, L + 2 N + 2 K]` and bias. */
  dense: tf.Tensor2D
  denseBias: tf.Tensor1D
  /** `[L]` how much of a heat map's spread is in its point's deviation. */
  spread: tf.Tensor1D
}

/** Shapes of `HeadWeights`. */
export function headShapes(
  { points, outline, identity }: DenseCounts,
  mapChannels: number,
  featureChannels: number,
): Record<keyof HeadWeights, number[]> {
  const all = points + outline
  const outputs = all + 2 * points + 2 * identity
  return {
    heatmaps: [1, 1, mapChannels, all],
    local: [1, 1, mapChannels, 3],
    localBias: [3],
    dense: [featureChannels, outputs],
    denseBias: [outputs],
    spread: [all],
  }
}

/** Least standard deviations, in widths of the picture: no label is better, and a likelihood has to end somewhere. */
const LEAST_DEVIATION = 1e-3
const LEAST_IDENTITY_DEVIATION = 0.05

/** Places are means of the distributions whose logarithms the heat maps are, which hidden points have, too; depths and deviations come from the
 * whole picture and from maps at the points' places; identity from the whole picture. */
export function denseOutputs(
  { maps, features }: DenseFeatures<tf.Tensor4D>,
  weights: HeadWeights,
  { points, outline, identity }: DenseCounts,
  momentsOf: HeatmapMoments = trainableMoments,
): DensePrediction {
  const [batch, size] = maps.shape
  const all = points + outline
  const local = tf.add(tf.conv2d(maps, weights.local, 1, 'same'), weights.localBias)
  const rows = tf.transpose(tf.reshape(local, [batch, size * size, 3]), [0, 2, 1])
  const values = tf.concat([tf.tile(gridOf(size), [batch, 1, 1]), rows], 1) as tf.Tensor3D
  const moments = momentsOf(maps, weights.heatmaps, values)
  const row = (k: number) => tf.reshape(tf.slice(moments, [0, k, 0], [-1, 1, -1]), [batch, all])
  const [x, y, squares, ...looked] = [0, 1, 2, 3, 4, 5].map(row)
  const variance = tf.sub(squares, tf.add(tf.square(x), tf.square(y)))
  const spread = tf.mul(tf.log(tf.maximum(variance, 1e-6)), 0.5)
  const flat = tf.reshape(features, [batch, -1]) as tf.Tensor2D
  const dense = tf.add(tf.matMul(flat, weights.dense), weights.denseBias)
  let at = 0
  const part = (count: number) => tf.slice(dense, [0, (at += count) - count], [-1, count]) as tf.Tensor2D
  const mesh = (tensor: tf.Tensor) => tf.slice(tensor, [0, 0], [-1, points])
  const own = part(all)
  return {
    positions: tf.add(tf.stack([x, y], 2), 0.5) as tf.Tensor3D,
    logDeviations: atLeast(tf.addN([own, tf.mul(spread, weights.spread), looked[1]]), LEAST_DEVIATION),
    depths: tf.add(part(points), mesh(looked[0])) as tf.Tensor2D,
    logDepthDeviations: atLeast(tf.add(part(points), mesh(looked[2])), LEAST_DEVIATION),
    identity: part(identity),
    logIdentityDeviations: atLeast(part(identity), LEAST_IDENTITY_DEVIATION),
  }
}

/** `log(sqrt(least^2 + exp(2 x)))`, with x kept where that is finite. */
const atLeast = (x: tf.Tensor, least: number): tf.Tensor2D =>
  tf.mul(tf.log(tf.add(tf.exp(tf.mul(tf.clipByValue(x, -12, 4), 2)), least ** 2)), 0.5) as tf.Tensor2D

/** `[1, 3, P]`: x, y and x^2 + y^2 of each pixel's centre from the middle, in widths of the picture. */
function gridOf(size: number): tf.Tensor3D {
  const pixels = size * size
  const values = new Float32Array(3 * pixels)
  for (let p = 0; p < pixels; p++) {
    const x = ((p % size) + 0.5) / size - 0.5
    const y = (Math.floor(p / size) + 0.5) / size - 0.5
    values[p] = x
    values[pixels + p] = y
    values[2 * pixels + p] = x * x + y * y
  }
  return tf.tensor3d(values, [1, 3, pixels])
}
