import * as tf from '@tensorflow/tfjs-core'
import { assertShape, ValueError } from '@facekit/core'

/** Options of `drawHeatmaps`. */
export interface HeatmapOptions {
  /** Width and height of a heat map. */
  size: number
  /** Width and height of the picture that the points are in. Default: four times `size`. */
  inputSize?: number
  /** Standard deviation of the blobs, pixels of the heat map. Default 1. */
  sigma?: number
}

/** Draws a Gaussian blob for each landmark: what a heat-map network shall draw.
 *
 * h(x, y) = exp(-((x - u)^2 + (y - v)^2) / (2 sigma^2))    with (u, v) the landmark in pixels of the heat map
 *
 * @param points - `[B, L, 2]` x and y in pixels of the picture, pixel centres at +0.5
 * @returns `[B, S, S, L]`, 0..1; of a point outside only the part of the blob that reaches in
 * @differentiable points
 * @memory the caller owns the result
 * @throws {ShapeError} when `points` is not `[B, L, 2]`
 */
export function drawHeatmaps(points: tf.Tensor3D, options: HeatmapOptions): tf.Tensor4D {
  const { size, inputSize = 4 * size, sigma = 1 } = options
  const { B, L } = assertShape('drawHeatmaps: points', points, ['B', 'L', 2])
  return tf.tidy(() => {
    const places = tf.mul(points, size / inputSize)
    const [u, v] = tf.split(places, 2, 2).map((axis) => tf.reshape(axis, [B, 1, 1, L]))
    const dx = tf.sub(centers(size, [1, 1, size, 1]), u) // (B, 1, S, L)
    const dy = tf.sub(centers(size, [1, size, 1, 1]), v) // (B, S, 1, L)
    const blob = (distance: tf.Tensor) => tf.exp(tf.mul(tf.square(distance), -0.5 / sigma ** 2))
    return tf.mul(blob(dy), blob(dx)) as tf.Tensor4D
  })
}

/** Options of `decodeHeatmaps`. */
export interface DecodeHeatmapsOptions {
  /** Width and height of the picture. Default: four times that of the heat maps. */
  inputSize?: number
  /** `'mean'`: mean place under the distribution that the map is the logarithm of, for networks trained by cross-entropy; differentiable.
   * `'peak'`: centre of mass of the 5 x 5 pixels around the highest one, for networks trained by squares; not differentiable. Default `'mean'`. */
  method?: 'mean' | 'peak'
}

/** Finds the landmarks in heat maps, with a precision of parts of a pixel.
 *
 * @param heatmaps - `[B, S, S, L]`
 * @returns `points`: `[B, L, 2]` pixels of the picture, pixel centres at +0.5; `scores`: `[B, L]` 0..1, how much of the distribution lies within
 *   three pixels of the heat map around the point (`'mean'`), or the height of the peak (`'peak'`)
 * @differentiable heatmaps, with `'mean'`
 * @memory the caller owns the results
 * @throws {ShapeError} when `heatmaps` is not `[B, S, S, L]`
 */
export function decodeHeatmaps(
  heatmaps: tf.Tensor4D,
  options: DecodeHeatmapsOptions = {},
): { points: tf.Tensor3D; scores: tf.Tensor2D } {
  const { B, S, L } = assertShape('decodeHeatmaps: heatmaps', heatmaps, ['B', 'S', 'S', 'L'])
  const { inputSize = 4 * S, method = 'mean' } = options
  if (method !== 'mean' && method !== 'peak') {
    throw new ValueError(`decodeHeatmaps: method is "${String(method)}", expected "mean" or "peak"`)
  }
  return tf.tidy(() => {
    const maps = tf.reshape(tf.transpose(heatmaps, [0, 3, 1, 2]), [B * L, S * S]) as tf.Tensor2D
    const { places, scores } = method === 'mean' ? meanPlaces(maps, S) : peakPlaces(maps, S)
    return {
      points: tf.reshape(tf.mul(places, inputSize / S), [B, L, 2]) as tf.Tensor3D,
      scores: tf.reshape(scores, [B, L]) as tf.Tensor2D,
    }
  })
}

/** Radius in which the share of the distribution is the score. */
const NEAR = 3

function meanPlaces(maps: tf.Tensor2D, size: number) {
  const share = tf.softmax(maps) as tf.Tensor2D
  const grid = pixelGrid(size)
  const places = tf.matMul(share, grid) as tf.Tensor2D
  return { places, scores: tf.sum(tf.mul(share, window(places, grid, NEAR)), 1) }
}

function peakPlaces(maps: tf.Tensor2D, size: number) {
  const grid = pixelGrid(size)
  const highest = tf.gather(grid, tf.argMax(maps, 1)) as tf.Tensor2D
  const around = tf.mul(tf.relu(maps), window(highest, grid, 2.9, true)) // 5 x 5 pixels
  const mass = tf.maximum(tf.sum(around, 1, true), 1e-6)
  const known = tf.cast(tf.greater(mass, 1e-5), 'float32')
  const center = tf.div(tf.matMul(around as tf.Tensor2D, grid), mass)
  const places = tf.add(tf.mul(center, known), tf.mul(highest, tf.sub(1, known))) as tf.Tensor2D
  return { places, scores: tf.clipByValue(tf.max(maps, 1), 0, 1) }
}

/** `[n, S * S]`: 1 where a pixel is near a place, in a circle or in a square. */
function window(places: tf.Tensor2D, grid: tf.Tensor2D, radius: number, square = false): tf.Tensor2D {
  const axis = (k: number) =>
    tf.sub(tf.reshape(tf.slice(grid, [0, k], [-1, 1]), [1, -1]), tf.slice(places, [0, k], [-1, 1]))
  const [dx, dy] = [axis(0), axis(1)]
  const distance = square
    ? tf.square(tf.maximum(tf.abs(dx), tf.abs(dy)))
    : tf.add(tf.square(dx), tf.square(dy))
  return tf.cast(tf.less(distance, radius * radius), 'float32') as tf.Tensor2D
}

/** `[S * S, 2]`: x and y of the pixels' centres. */
function pixelGrid(size: number): tf.Tensor2D {
  const values = new Float32Array(2 * size * size)
  for (let i = 0; i < size * size; i++) {
    values[2 * i] = (i % size) + 0.5
    values[2 * i + 1] = Math.floor(i / size) + 0.5
  }
  return tf.tensor2d(values, [size * size, 2])
}

const centers = (size: number, shape: number[]) =>
  tf.tensor(
    Float32Array.from({ length: size }, (_, i) => i + 0.5),
    shape,
  )
