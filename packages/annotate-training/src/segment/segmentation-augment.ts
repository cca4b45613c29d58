import * as tf from '@tensorflow/tfjs-core'
import { assertDataType, assertInRange, assertInteger, assertShape, type Random } from '@facekit/core'
import { mirroredLabels } from '@facekit/annotate'

/** Options of `augmentSegmentation`: how far a picture may be changed. */
export interface AugmentSegmentationOptions {
  /** Largest rotation, radians. Default 0.3. */
  rotation?: number
  /** Largest factor of enlargement; the least is its inverse. Default 1.2. */
  scale?: number
  /** Largest shift, as a share of the width. Default 0.06. */
  shift?: number
  /** Share of pictures that are mirrored, left and right labels with them. Default 0.5. */
  mirror?: number
  /** How far colours change, 0..1: brightness and colour of the light, which may differ from side to side; gamma, saturation. Default 0.3. */
  color?: number
  /** Label of what comes in from outside of the picture. Default 255, which `segmentationLoss` ignores. */
  ignore?: number
}

/** Moves, turns, mirrors and recolours pictures and their labels at random.
 *
 * @param images - `[B, S, S, 3]` encoded, 0..1
 * @param labels - `[B, S, S]` int32, of the 19 classes of CelebAMask-HQ or `ignore`
 * @param random - a seeded stream: the same state gives the same change
 * @returns new pictures, within 0..1, whose border pixels are repeated outside, and their labels
 * @differentiable no
 * @memory the caller owns the results
 * @throws {ShapeError} when a shape or data type differs
 * @throws {ValueError} when an option is out of range
 */
export function augmentSegmentation(
  images: tf.Tensor4D,
  labels: tf.Tensor3D,
  random: Random,
  options: AugmentSegmentationOptions = {},
): { images: tf.Tensor4D; labels: tf.Tensor3D } {
  const { rotation = 0.3, scale = 1.2, shift = 0.06, mirror = 0.5, color = 0.3, ignore = 255 } = options
  const { B, S } = assertShape('augmentSegmentation: images', images, ['B', 'S', 'S', 3])
  assertShape('augmentSegmentation: labels', labels, [B, S, S])
  assertDataType('augmentSegmentation: labels', labels, 'int32')
  assertInRange('augmentSegmentation: scale', scale, 1, 8)
  assertInRange('augmentSegmentation: mirror', mirror, 0, 1)
  assertInRange('augmentSegmentation: color', color, 0, 1)
  assertInteger('augmentSegmentation: ignore', ignore, 0, 255)
  const transforms: number[] = []
  const mirrored: number[] = []
  for (let i = 0; i < B; i++) {
    const flip = random.uniform() < mirror ? -1 : 1
    const angle = random.uniform(-rotation, rotation)
    const step = Math.exp(random.uniform(-1, 1) * Math.log(scale))
    const [c, s] = [step * Math.cos(angle), step * Math.sin(angle)]
    const middle = (S - 1) / 2
    const [x, y] = [0, 1].map(() => middle + S * random.uniform(-shift, shift))
    // From the new pixel (u, v) to the old one.
    transforms.push(c * flip, -s, x - c * flip * middle + s * middle)
    transforms.push(s * flip, c, y - s * flip * middle - c * middle, 0, 0)
    mirrored.push(flip < 0 ? 1 : 0)
  }
  const colors = Array.from({ length: B }, () => drawColor(random, color))
  return tf.tidy(() => {
    const matrices = tf.tensor2d(transforms, [B, 8])
    const moved = tf.image.transform(images, matrices, 'bilinear', 'nearest', 0, [S, S])
    const planes = tf.cast(tf.expandDims(labels, 3), 'float32') as tf.Tensor4D
    const plain = tf.squeeze(tf.image.transform(planes, matrices, 'nearest', 'constant', ignore, [S, S]), [3])
    return {
      images: recolor(moved, colors),
      labels: mirrorLabels(tf.cast(tf.round(plain), 'int32') as tf.Tensor3D, mirrored),
    }
  })
}

/** Labels of the pictures that are mirrored, with left and right exchanged. */
function mirrorLabels(labels: tf.Tensor3D, mirrored: number[]): tf.Tensor3D {
  // Two tables in one: `where` with a flag for each picture would be spread on the CPU.
  const values = Array.from({ length: 512 }, (_, i) => (i < 256 ? i : (mirroredLabels[i - 256] ?? i - 256)))
  const table: tf.Tensor = tf.tensor1d(values, 'int32')
  const offsets = tf.tensor3d(
    mirrored.map((flag) => 256 * flag),
    [mirrored.length, 1, 1],
    'int32',
  )
  return tf.gather(table, tf.add(labels, offsets)) as tf.Tensor3D
}

/** How a picture's colours change: light of one colour on one side, of another on the other. */
interface Color {
  /** Of the channels, at both ends of the line. */
  gains: [number[], number[]]
  direction: number
  gamma: number
  saturation: number
}

function drawColor(random: Random, strength: number): Color {
  const brightness = () => Math.exp(0.8 * strength * random.normal(0, 0.6))
  const cast = strength * Math.abs(random.normal(0, 0.8))
  const light = (level: number) => [0, 1, 2].map(() => level * Math.exp(cast * random.normal()))
  const first = light(brightness())
  // Two pictures in three have the same light everywhere.
  const second = random.uniform() < 1 / 3 ? light(brightness()) : first
  return {
    gains: [first, second],
    direction: random.uniform(0, 2 * Math.PI),
    gamma: Math.exp(strength * random.normal(0, 0.6)),
    saturation: Math.max(0, 1 + strength * random.normal()),
  }
}

function recolor(images: tf.Tensor4D, colors: Color[]): tf.Tensor4D {
  const [batch, size] = images.shape
  const each = (of: (color: Color) => number) => tf.tensor4d(colors.map(of), [batch, 1, 1, 1])
  const gains = (end: 0 | 1) =>
    tf.tensor4d(
      colors.flatMap((color) => color.gains[end]),
      [batch, 1, 1, 3],
    )
  const line = tf.sub(tf.div(tf.add(tf.range(0, size), 0.5), size), 0.5)
  const along = tf.add(
    tf.mul(
      tf.reshape(line, [1, 1, size, 1]),
      each((color) => Math.cos(color.direction)),
    ),
    tf.mul(
      tf.reshape(line, [1, size, 1, 1]),
      each((color) => Math.sin(color.direction)),
    ),
  ) // [B, S, S, 1]
  const share = tf.clipByValue(tf.add(tf.mul(along, 2), 0.5), 0, 1)
  const gain = tf.add(gains(0), tf.mul(share, tf.sub(gains(1), gains(0))))
  const lit = tf.pow(
    tf.clipByValue(tf.mul(images, gain), 1e-4, 1),
    each((color) => color.gamma),
  )
  const grey = tf.mean(lit, 3, true)
  const result = tf.add(
    grey,
    tf.mul(
      tf.sub(lit, grey),
      each((color) => color.saturation),
    ),
  )
  return tf.clipByValue(result, 0, 1) as tf.Tensor4D
}
