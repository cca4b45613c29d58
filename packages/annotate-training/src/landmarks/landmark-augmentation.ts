import * as tf from '@tensorflow/tfjs-core'
import { assertShape, type Random } from '@facekit/core'
import { mirroredLandmarks } from '@facekit/annotate'

/** Options of `augmentLandmarks`. All are limits of what is drawn at random for each picture. */
export interface AugmentLandmarksOptions {
  /** Width and height of the result. Default 128. */
  inputSize?: number
  /** Side of the square that is seen, in sizes of the smallest upright square around the landmarks. Default from 1.2 to 1.7. */
  scale?: [number, number]
  /** Standard deviation of the square's shift, in the same sizes. Default 0.05. */
  shift?: number
  /** Standard deviation of its turn, radians. Default 0.25. */
  rotation?: number
  /** Share of pictures that are mirrored; needs the 68 landmarks of iBUG. Default 0.5. */
  flip?: number
  /** How much colours and contrast change, 0 to 1. Default 0.25. */
  color?: number
  /** Share of pictures that get a rectangle of one colour before the face. Default 0.25. */
  occlusion?: number
}

const GREY = [0.299, 0.587, 0.114]

/** Cuts squares around landmarks out of pictures, each turned, sized, mirrored, coloured and covered in its own random way.
 *
 * @param images - `[B, H, W, 3]` encoded, 0..1
 * @param points - `[B, L, 2]` pixels of the pictures, pixel centres at +0.5
 * @param random - draws a few numbers for each picture, on the CPU
 * @returns `images`: `[B, S, S, 3]`; `points`: `[B, L, 2]` pixels of those. Outside of a picture its border pixels are repeated.
 * @differentiable no
 * @memory the caller owns the results, and the inputs as before
 * @throws {ShapeError} when shapes differ
 */
export function augmentLandmarks(
  images: tf.Tensor4D,
  points: tf.Tensor3D,
  random: Random,
  options: AugmentLandmarksOptions = {},
): { images: tf.Tensor4D; points: tf.Tensor3D } {
  const { inputSize = 128 } = options
  const { B } = assertShape('augmentLandmarks: images', images, ['B', 'H', 'W', 3])
  const { L } = assertShape('augmentLandmarks: points', points, [B, 'L', 2])
  const draws = drawNumbers(B, random, options)
  return tf.tidy(() => {
    const all = tf.tensor2d(draws, [B, FIELDS.length])
    const draw = (name: Field, count = 1): tf.Tensor2D => tf.slice(all, [0, FIELDS.indexOf(name)], [B, count])
    const low = tf.min(points, 1)
    const high = tf.max(points, 1)
    const size = tf.max(tf.sub(high, low), 1, true) // (B, 1)
    const center = tf.add(tf.mul(tf.add(low, high), 0.5), tf.mul(draw('shiftX', 2), size)) // (B, 2)
    // Pixels of the picture for one of the result, along and across.
    const step = tf.mul(size, tf.mul(draw('scale'), 1 / inputSize))
    const [cosine, sine] = [tf.cos(draw('angle')), tf.sin(draw('angle'))]
    const [c, s] = [tf.mul(step, cosine), tf.mul(step, sine)]
    const sign = draw('mirror') // 1 or -1
    // The operation counts pixels by their centres, from 0.
    const first = 0.5 - inputSize / 2
    const along = tf.mul(sign, first)
    const [x, y] = tf.split(center, 2, 1)
    const zero = tf.zerosLike(c)
    const transforms = tf.concat(
      [
        tf.mul(c, sign),
        tf.neg(s),
        tf.sub(tf.add(x, tf.sub(tf.mul(c, along), tf.mul(s, first))), 0.5),
        tf.mul(s, sign),
        c,
        tf.sub(tf.add(y, tf.add(tf.mul(s, along), tf.mul(c, first))), 0.5),
        zero,
        zero,
      ],
      1,
    ) as tf.Tensor2D
    const cut = warp(images, transforms, inputSize)
    return {
      images: disturb(cut, draw),
      points: movePoints(points, { center, step, cosine, sine, sign, inputSize, count: L }),
    }
  })
}

/** By affine maps from pixels of the result to pixels of the pictures, `[B, 8]`. */
function warp(images: tf.Tensor4D, transforms: tf.Tensor2D, size: number): tf.Tensor4D {
  const run = (pictures: tf.Tensor4D, maps: tf.Tensor2D) =>
    tf.image.transform(pictures, maps, 'bilinear', 'nearest', 0, [size, size])
  if (tf.getBackend() !== 'cpu') return run(images, transforms)
  // This kernel of tfjs' cpu backend fills the first picture of a batch and leaves the others black.
  const count = images.shape[0]
  const maps = tf.split(transforms, count)
  const pictures = tf.split(images, count) as tf.Tensor4D[]
  return tf.concat(pictures.map((picture, i) => run(picture, maps[i] as tf.Tensor2D)))
}

interface Placement {
  center: tf.Tensor
  step: tf.Tensor
  cosine: tf.Tensor
  sine: tf.Tensor
  sign: tf.Tensor
  inputSize: number
  count: number
}

function movePoints(points: tf.Tensor3D, placement: Placement): tf.Tensor3D {
  const { center, step, cosine, sine, sign, inputSize, count } = placement
  const offset = tf.div(tf.sub(points, tf.expandDims(center, 1)), tf.expandDims(step, 1))
  const [dx, dy] = tf.split(offset, 2, 2)
  const [c, s, f] = [cosine, sine, sign].map((value) => tf.expandDims(value, 1))
  const u = tf.mul(f, tf.add(tf.mul(c, dx), tf.mul(s, dy)))
  const v = tf.sub(tf.mul(c, dy), tf.mul(s, dx))
  const moved = tf.add(tf.concat([u, v], 2), inputSize / 2) as tf.Tensor3D
  if (count !== mirroredLandmarks.length) return moved
  const mirrored = tf.gather(moved, tf.tensor1d(mirroredLandmarks as number[], 'int32'), 1)
  const share = tf.mul(tf.sub(1, f), 0.5)
  return tf.add(moved, tf.mul(share, tf.sub(mirrored, moved))) as tf.Tensor3D
}

/** Colours, blur and a rectangle. */
function disturb(images: tf.Tensor4D, draw: (name: Field, count?: number) => tf.Tensor2D): tf.Tensor4D {
  const [, height, width] = images.shape
  const number = (name: Field, count = 1) => tf.reshape(draw(name, count), [-1, 1, 1, count])
  const mix = (a: tf.Tensor, b: tf.Tensor, share: tf.Tensor) => tf.add(a, tf.mul(share, tf.sub(b, a)))
  let x: tf.Tensor = mix(images, tf.avgPool(images, 3, 1, 'same'), number('blur'))
  x = mix(x, tf.sum(tf.mul(x, GREY), 3, true), number('grey'))
  x = tf.add(tf.mul(tf.sub(tf.mul(x, number('red', 3)), 0.5), number('contrast')), number('brightness'))
  const inside = (name: Field, size: number, shape: number[]) => {
    const places = tf.reshape(tf.linspace(0.5 / size, 1 - 0.5 / size, size), shape)
    return tf.cast(tf.less(tf.abs(tf.sub(places, number(name))), number('occluderSize')), 'float32')
  }
  const covered = tf.mul(
    inside('occluderX', width, [1, 1, -1, 1]),
    inside('occluderY', height, [1, -1, 1, 1]),
  )
  return tf.clipByValue(mix(x, number('occluderRed', 3), covered), 0, 1) as tf.Tensor4D
}

const FIELDS = [
  ...([
    'scale',
    'shiftX',
    'shiftY',
    'angle',
    'mirror',
    'blur',
    'grey',
    'red',
    'green',
    'blue',
    'contrast',
  ] as const),
  ...([
    'brightness',
    'occluderX',
    'occluderY',
    'occluderSize',
    'occluderRed',
    'occluderGreen',
    'occluderBlue',
  ] as const),
]
type Field = (typeof FIELDS)[number]

function drawNumbers(count: number, random: Random, options: AugmentLandmarksOptions): Float32Array {
  const { scale = [1.2, 1.7], shift = 0.05, rotation = 0.25, flip = 0.5 } = options
  const { color = 0.25, occlusion = 0.25 } = options
  const chance = (share: number) => random.uniform() < share
  const values = new Float32Array(count * FIELDS.length)
  for (let i = 0; i < count; i++) {
    const gain = random.uniform(1 - color, 1 + color)
    const tint = () => gain * random.uniform(1 - color / 2, 1 + color / 2)
    const numbers: Record<Field, number> = {
      scale: random.uniform(...scale),
      shiftX: random.normal(0, shift),
      shiftY: random.normal(0, shift),
      angle: random.normal(0, rotation),
      mirror: chance(flip) ? -1 : 1,
      blur: chance(0.3) ? random.uniform() : 0,
      grey: chance(0.15) ? 1 : random.uniform(-color, color),
      red: tint(),
      green: tint(),
      blue: tint(),
      contrast: random.uniform(1 - color, 1 + color),
      brightness: random.uniform(0.5 - color / 3, 0.5 + color / 3),
      occluderX: random.uniform(),
      occluderY: random.uniform(),
      occluderSize: chance(occlusion) ? random.uniform(0.04, 0.16) : 0,
      occluderRed: random.uniform(),
      occluderGreen: random.uniform(),
      occluderBlue: random.uniform(),
    }
    for (const [k, field] of FIELDS.entries()) values[i * FIELDS.length + k] = numbers[field]
  }
  return values
}
