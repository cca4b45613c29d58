import { DENSE_VIEW_DROP, DENSE_VIEW_SIDE } from '@facekit/annotate'
import { assertShape, type Random } from '@facekit/core'
import * as tf from '@tensorflow/tfjs-core'
import { degradeCrops } from './degrade-crops.js'

/** How squares are shifted, scaled and turned: standard deviations. */
export interface CropJitter {
  /** In sides of the square. */
  shift: number
  /** Of the logarithm. */
  scale: number
  /** Radians. */
  rotation: number
}

/** Options of `drawDenseCrops`. */
export interface DenseCropOptions {
  /** As a detector's box is off, whose roll nobody knows yet. Default 0.06, 0.12 and 0.4. */
  coarse?: CropJitter
  /** As points of a first pass are off. Default 0.012, 0.03 and 0.05. */
  fine?: CropJitter
  /** Share of coarse ones. Default 0.35. */
  coarseShare?: number
  /** How much colours and contrast change, 0 to 1. Default 0.15. */
  color?: number
  /** How many crops are blurred, of few pixels or in blocks, as in videos, and how much; 0 to 1. Default 1. */
  video?: number
}

const FIELDS = [
  'scale',
  'x',
  'y',
  'angle',
  'gain',
  'offset',
  'gamma',
  'grey',
  'red',
  'green',
  'blue',
  'blurX',
  'blurY',
  'coarse',
  'step',
] as const
type Field = (typeof FIELDS)[number]
/** Shares of crops that are blurred, of few pixels, in blocks; the strongest blur and how many pixels stand for one at most. */
const BLURRED = 0.35
const COARSE = 0.35
const BLOCKY = 0.3
const MOST_BLUR = 3.5
const MOST_COARSE = 4.5
const GREY = [0.299, 0.587, 0.114]

/** Draws how each face of a batch is cut out: what `cutDenseCrops` takes.
 *
 * @returns `[B, 15]` numbers
 */
export function drawDenseCrops(count: number, random: Random, options: DenseCropOptions = {}): tf.Tensor2D {
  const {
    coarse = { shift: 0.06, scale: 0.12, rotation: 0.4 },
    fine = { shift: 0.012, scale: 0.03, rotation: 0.05 },
    coarseShare = 0.35,
    color = 0.15,
    video = 1,
  } = options
  const values = new Float32Array(count * FIELDS.length)
  for (let i = 0; i < count; i++) {
    const jitter = random.uniform() < coarseShare ? coarse : fine
    const log = (from: number, to: number) => Math.exp(random.uniform(Math.log(from), Math.log(to)))
    const happens = (share: number) => random.uniform() < share * video
    const blurred = happens(BLURRED)
    const blur = () => (blurred ? video * MOST_BLUR * random.uniform() ** 2 : 0)
    const tint = () => random.uniform(1 - color / 2, 1 + color / 2)
    const numbers: Record<Field, number> = {
      scale: Math.exp(random.normal(0, jitter.scale)),
      x: random.normal(0, jitter.shift),
      y: random.normal(0, jitter.shift),
      angle: random.normal(0, jitter.rotation),
      gain: random.uniform(1 - color, 1 + color),
      offset: random.uniform(-color / 3, color / 3),
      gamma: Math.exp(random.normal(0, color)),
      grey: random.uniform() < 0.08 ? 1 : 0,
      red: tint(),
      green: tint(),
      blue: tint(),
      blurX: blur(),
      blurY: blur(),
      coarse: happens(COARSE) ? log(1, Math.min(MOST_COARSE, 1 + MOST_COARSE * video)) : 1,
      step: happens(BLOCKY) ? log(0.01, 0.1) : 0,
    }
    for (const [k, field] of FIELDS.entries()) values[i * FIELDS.length + k] = numbers[field]
  }
  return tf.tensor2d(values, [count, FIELDS.length])
}

/** Faces cut out, and where their points are: what a dense landmark network learns from. */
export type DenseCrops = {
  /** `[B, S, S, 3]` encoded, 0..1; outside of the picture its border pixels are repeated. */
  images: tf.Tensor4D
  /** `[B, L, 2]` in widths of the crop: the mesh's points, then those of the outline. */
  positions: tf.Tensor3D
  /** `[B, N]` depths of the mesh's points in widths of the crop. */
  depths: tf.Tensor2D
}

/** Cuts the upright squares around faces out of pictures, shifted, scaled, turned and coloured as drawn.
 *
 * Runs on the backend alone, so that it can be a part of a recorded step.
 *
 * @param images - `[B, H, W, 3]` encoded, 0..1
 * @param points - `[B, N, 3]` pixels and depths, as `denseLandmarks` of @facekit/synthetic; the first 68 are those of iBUG
 * @param outline - `[B, M, 2]` pixels
 * @param draws - of `drawDenseCrops`
 * @param inputSize - S
 * @differentiable no
 * @memory the caller owns the results
 * @throws {ShapeError} when shapes differ
 */
export function cutDenseCrops(
  images: tf.Tensor4D,
  points: tf.Tensor3D,
  outline: tf.Tensor3D,
  draws: tf.Tensor2D,
  inputSize: number,
): DenseCrops {
  const { B } = assertShape('cutDenseCrops: images', images, ['B', 'H', 'W', 3])
  assertShape('cutDenseCrops: points', points, [B, 'N', 3])
  assertShape('cutDenseCrops: outline', outline, [B, 'M', 2])
  assertShape('cutDenseCrops: draws', draws, [B, FIELDS.length])
  return tf.tidy(() => {
    const draw = (name: Field, count = 1) => tf.slice(draws, [0, FIELDS.indexOf(name)], [-1, count])
    const mean = tf.mean(points, 1) // (B, 3)
    const radius = tf.sqrt(tf.mean(tf.sum(tf.squaredDifference(points, tf.expandDims(mean, 1)), 2), 1, true)) // (B, 1)
    const part = (first: number, count: number) =>
      tf.mean(tf.slice(points, [0, first, 0], [-1, count, 2]), 1) as tf.Tensor2D
    const down = tf.sub(part(48, 12), part(36, 12)) // from the eyes to the lips, (B, 2)
    const unit = tf.div(down, tf.maximum(tf.norm(down, 2, 1, true), 1e-6))
    const [ux, uy] = tf.split(unit, 2, 1)
    // The square's rows run along (c, s), its columns along (-s, c).
    const [cosine, sine] = [tf.cos(draw('angle')), tf.sin(draw('angle'))]
    const c = tf.add(tf.mul(uy, cosine), tf.mul(ux, sine))
    const s = tf.sub(tf.mul(uy, sine), tf.mul(ux, cosine))
    const side = tf.mul(tf.mul(radius, DENSE_VIEW_SIDE), draw('scale'))
    const middle = tf.slice(mean, [0, 0], [-1, 2])
    const center = tf.addN([
      middle,
      tf.mul(tf.mul(unit, radius), DENSE_VIEW_DROP),
      tf.mul(side, draw('x', 2)),
    ]) as tf.Tensor2D
    const place = { center, side, c, s }
    const degradation = {
      blurX: draw('blurX'),
      blurY: draw('blurY'),
      coarse: draw('coarse'),
      step: draw('step'),
    }
    return {
      images: recolored(degradeCrops(warp(images, place, inputSize), degradation), draw),
      positions: placed(
        tf.concat([tf.slice(points, [0, 0, 0], [-1, -1, 2]), outline], 1) as tf.Tensor3D,
        place,
      ),
      depths: tf.div(tf.squeeze(tf.slice(points, [0, 0, 2], [-1, -1, 1]), [2]), side) as tf.Tensor2D,
    }
  })
}

/** Squares in pictures, `[B, 1]` each but for the centres `[B, 2]`. */
interface Squares {
  center: tf.Tensor2D
  side: tf.Tensor
  c: tf.Tensor
  s: tf.Tensor
}

/** Averages 2 x 2 samples a pixel, so that larger faces don't alias. */
function warp(images: tf.Tensor4D, { center, side, c, s }: Squares, inputSize: number): tf.Tensor4D {
  const size = 2 * inputSize
  const step = tf.div(side, size)
  const [a, b] = [tf.mul(c, step), tf.mul(s, step)]
  const [x, y] = tf.split(center, 2, 1)
  // The operation counts pixels by their centres, from 0.
  const first = 0.5 - size / 2
  const zero = tf.zerosLike(a)
  const left = tf.sub(tf.add(x, tf.mul(tf.sub(a, b), first)), 0.5)
  const top = tf.sub(tf.add(y, tf.mul(tf.add(a, b), first)), 0.5)
  const maps = tf.concat([a, tf.neg(b), left, b, a, top, zero, zero], 1) as tf.Tensor2D
  return tf.avgPool(tf.image.transform(images, maps, 'bilinear', 'nearest', 0, [size, size]), 2, 2, 'valid')
}

/** Pixels of the pictures in widths of the squares. */
function placed(points: tf.Tensor3D, { center, side, c, s }: Squares): tf.Tensor3D {
  const offset = tf.div(tf.sub(points, tf.expandDims(center, 1)), tf.expandDims(side, 1))
  const [dx, dy] = tf.split(offset, 2, 2)
  const [cosine, sine] = [c, s].map((value) => tf.expandDims(value, 1))
  const u = tf.add(tf.mul(cosine, dx), tf.mul(sine, dy))
  const v = tf.sub(tf.mul(cosine, dy), tf.mul(sine, dx))
  return tf.add(tf.concat([u, v], 2), 0.5) as tf.Tensor3D
}

function recolored(images: tf.Tensor4D, draw: (name: Field, count?: number) => tf.Tensor): tf.Tensor4D {
  const number = (name: Field, count = 1) => tf.reshape(draw(name, count), [-1, 1, 1, count])
  const mix = (a: tf.Tensor, b: tf.Tensor, share: tf.Tensor) => tf.add(a, tf.mul(share, tf.sub(b, a)))
  let x: tf.Tensor = mix(images, tf.sum(tf.mul(images, GREY), 3, true), number('grey'))
  x = tf.pow(tf.clipByValue(x, 1e-4, 1), number('gamma'))
  x = tf.mul(tf.sub(tf.mul(x, number('red', 3)), 0.5), number('gain'))
  return tf.clipByValue(tf.add(x, tf.add(number('offset'), 0.5)), 0, 1) as tf.Tensor4D
}
