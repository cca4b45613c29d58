import * as tf from '@tensorflow/tfjs-core'

/** What is done to each picture of a batch; all `[B, 1]`. */
export interface Degradation {
  /** Deviations of a Gaussian across and down, pixels: defocus, and motion along an axis. */
  blurX: tf.Tensor
  blurY: tf.Tensor
  /** Pixels of the picture for one of the video that it is from, from 1. */
  coarse: tf.Tensor
  /** Step of the coefficients of its blocks, 0 for none. */
  step: tf.Tensor
}

const BLOCK = 8
/** A Gaussian that is narrower than this touches no neighbour. */
const NARROW = 0.05
/** Steps grow along the diagonals of a block, and of colour they are larger. */
const GROWTH = 0.5
const COLOR = 1.8
const TO_YCC = [0.299, -0.168736, 0.5, 0.587, -0.331264, -0.418688, 0.114, 0.5, -0.081312]
const FROM_YCC = [1, 1, 1, 0, -0.344136, 1.772, 1.402, -0.714136, 0]

/** Pictures as they come out of a video: blurred, of few pixels, in blocks whose cosines were rounded, and enlarged again.
 *
 * Each step is a product with matrices `[B, S, S]` along rows and columns, so that every picture has its own strength at no cost.
 *
 * @param images - `[B, S, S, 3]` encoded, 0..1; S a multiple of 8
 */
export function degradeCrops(images: tf.Tensor4D, draws: Degradation): tf.Tensor4D {
  const size = images.shape[1]
  const shrink = shrinking(size, draws.coarse)
  const grow = growing(size, draws.coarse)
  const down = (blur: tf.Tensor) => tf.matMul(shrink, gaussian(size, blur))
  const small = bothWays(images, down(draws.blurY), down(draws.blurX))
  return tf.clipByValue(bothWays(quantized(small, draws.step), grow, grow), 0, 1)
}

/** Rows by one matrix, columns by the other: `[B, S, S]` each, or `[S, S]`. */
function bothWays(images: tf.Tensor4D, rows: tf.Tensor, columns: tf.Tensor): tf.Tensor4D {
  const [batch, size] = images.shape
  const along = (picture: tf.Tensor, matrix: tf.Tensor) =>
    tf.reshape(tf.matMul(tiled(matrix, batch), tf.reshape(picture, [batch, size, size * 3])), images.shape)
  const turned = tf.transpose(along(images, rows), [0, 2, 1, 3])
  return tf.transpose(along(turned, columns), [0, 2, 1, 3]) as tf.Tensor4D
}

const tiled = (matrix: tf.Tensor, batch: number) =>
  matrix.rank === 3 ? matrix : tf.tile(tf.expandDims(matrix, 0), [batch, 1, 1])

const perPicture = (value: tf.Tensor) => tf.reshape(value, [-1, 1, 1])
const column = (size: number) => tf.reshape(tf.range(0, size), [1, size, 1])
const row = (size: number) => tf.reshape(tf.range(0, size), [1, 1, size])
const normalized = (weights: tf.Tensor) =>
  tf.div(weights, tf.maximum(tf.sum(weights, 2, true), 1e-6)) as tf.Tensor3D

function gaussian(size: number, deviation: tf.Tensor): tf.Tensor3D {
  const distance = tf.div(tf.sub(column(size), row(size)), perPicture(tf.maximum(deviation, NARROW)))
  return normalized(tf.exp(tf.mul(tf.square(distance), -0.5)))
}

/** Means over cells: each is as wide as `coarse` pixels. */
function shrinking(size: number, coarse: tf.Tensor): tf.Tensor3D {
  const [cell, pixel, width] = [column(size), row(size), perPicture(coarse)]
  const end = tf.minimum(tf.add(pixel, 1), tf.mul(tf.add(cell, 1), width))
  const start = tf.maximum(pixel, tf.mul(cell, width))
  return normalized(tf.relu(tf.sub(end, start)))
}

/** Straight lines between the middles of cells. */
function growing(size: number, coarse: tf.Tensor): tf.Tensor3D {
  const [pixel, cell, width] = [column(size), row(size), perPicture(coarse)]
  const distance = tf.sub(tf.sub(tf.div(tf.add(pixel, 0.5), width), 0.5), cell)
  const there = tf.cast(tf.less(tf.mul(cell, width), size), 'float32')
  return normalized(tf.mul(tf.relu(tf.sub(1, tf.abs(distance))), there))
}

/** Cosines of blocks of 8 x 8 (the transform of JPEG and of MPEG), rounded to steps. */
function quantized(images: tf.Tensor4D, step: tf.Tensor): tf.Tensor4D {
  const size = images.shape[1]
  const cosines = tf.tensor2d(blockCosines(size), [size, size])
  const colors = (picture: tf.Tensor, matrix: readonly number[]) =>
    tf.reshape(
      tf.matMul(tf.reshape(picture, [-1, 3]) as tf.Tensor2D, tf.tensor2d([...matrix], [3, 3])),
      images.shape,
    ) as tf.Tensor4D
  const spectrum = bothWays(colors(images, TO_YCC), cosines, cosines)
  const steps = tf.mul(
    tf.tensor4d(blockSteps(size), [1, size, size, 3]),
    tf.reshape(tf.maximum(step, 1e-4), [-1, 1, 1, 1]),
  )
  const back = tf.transpose(cosines)
  const rounded = colors(
    bothWays(tf.mul(tf.round(tf.div(spectrum, steps)), steps) as tf.Tensor4D, back, back),
    FROM_YCC,
  )
  const on = tf.reshape(tf.cast(tf.greater(step, 0), 'float32'), [-1, 1, 1, 1])
  return tf.add(images, tf.mul(tf.sub(rounded, images), on)) as tf.Tensor4D
}

/** `[S * S]` orthonormal, one block after the other along the diagonal. */
function blockCosines(size: number): Float32Array {
  const result = new Float32Array(size * size)
  for (let k = 0; k < size; k++) {
    const first = k - (k % BLOCK)
    const frequency = k % BLOCK
    const scale = Math.sqrt((frequency === 0 ? 1 : 2) / BLOCK)
    for (let i = 0; i < BLOCK; i++) {
      result[k * size + first + i] = scale * Math.cos(((2 * i + 1) * frequency * Math.PI) / (2 * BLOCK))
    }
  }
  return result
}

/** `[S * S * 3]` of brightness and of the two colours. */
function blockSteps(size: number): Float32Array {
  return Float32Array.from({ length: size * size * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3)
    const order = (Math.floor(pixel / size) % BLOCK) + ((pixel % size) % BLOCK)
    return (1 + GROWTH * order) * (i % 3 === 0 ? 1 : COLOR)
  })
}
