import { sampleTexture } from '@facekit/rasterizer'
import * as tf from '@tensorflow/tfjs-core'
import { createRandom } from '@facekit/core'
import { deadLeaves } from './dead-leaves.js'
import { hashSeed } from '../sample/hash-seed.js'
import { noiseTexture } from './noise-texture.js'

const NOISE = 256
const LEAVES = 512

/** Pictures from which all others are made; kept on the backend until disposed. */
export interface Textures {
  /** `[1, 256, 256, 4]` mean 0, deviation 1: cloudy, cloudy again, fine, spots (0 nearly everywhere). */
  clouds: tf.Tensor4D
  /** `[1, 256, 256, 3]` white noise, normal. */
  grain: tf.Tensor4D
  /** `[1, 512, 512, 3]` linear, 0..1. */
  leaves: tf.Tensor4D
  /** `[S * S, 2]` pixel centres, 0..1, x to the right, y down. */
  grid: tf.Tensor2D
  dispose(): void
}

/** Arrays that were made, by seed: they take half a second. */
const made = new Map<number, { clouds: Float32Array; grain: Float32Array; leaves: Float32Array }>()

function makeArrays(seed: number) {
  const known = made.get(seed)
  if (known) return known
  const cloudy = noiseTexture(hashSeed(seed, 11), NOISE, 2)
  const fine = noiseTexture(hashSeed(seed, 12), NOISE, 2, { first: 48, octaves: 3, gain: 0.8 })
  const random = createRandom(hashSeed(seed, 13))
  const clouds = new Float32Array(NOISE * NOISE * 4)
  for (let i = 0; i < NOISE * NOISE; i++) {
    clouds.set([cloudy[2 * i], cloudy[2 * i + 1], fine[2 * i], Math.max(0, fine[2 * i + 1] - 1.7)], 4 * i)
  }
  const grain = Float32Array.from({ length: NOISE * NOISE * 3 }, () => random.normal())
  const arrays = { clouds, grain, leaves: deadLeaves(hashSeed(seed, 14), LEAVES) }
  made.set(seed, arrays)
  return arrays
}

/** Makes the pictures, or takes those that were made of the same seed, and brings them to the backend. */
export function createTextures(seed: number, size: number): Textures {
  const { clouds, grain, leaves } = makeArrays(seed)
  const kept = tf.tidy(() => {
    const line = tf.div(tf.add(tf.range(0, size), 0.5), size)
    const x = tf.tile(tf.reshape(line, [1, size, 1]), [size, 1, 1])
    const y = tf.tile(tf.reshape(line, [size, 1, 1]), [1, size, 1])
    return {
      clouds: tf.keep(tf.tensor4d(clouds, [1, NOISE, NOISE, 4])),
      grain: tf.keep(tf.tensor4d(grain, [1, NOISE, NOISE, 3])),
      leaves: tf.keep(tf.tensor4d(leaves, [1, LEAVES, LEAVES, 3])),
      grid: tf.keep(tf.reshape(tf.concat([x, y], 2), [size * size, 2]) as tf.Tensor2D),
    }
  })
  return { ...kept, dispose: () => tf.dispose({ ...kept }) }
}

/** Coordinates of a batch under transforms of their own: `[B, S, S, 2]`.
 *
 * @param transform - `[B, 6]` rows of the linear map (applied to row vectors), then the shift
 */
export function transformed(grid: tf.Tensor2D, transform: tf.Tensor2D, size: number): tf.Tensor4D {
  const batch = transform.shape[0]
  // [S S, 2] [2, 2 B] is one product for the whole batch.
  const linear = tf.reshape(tf.slice(transform, [0, 0], [-1, 4]), [batch, 2, 2])
  const shift = tf.reshape(tf.slice(transform, [0, 4], [-1, 2]), [batch, 1, 2])
  const tiled = tf.tile(tf.expandDims(grid, 0), [batch, 1, 1])
  return tf.reshape(tf.add(tf.matMul(tiled, linear), shift), [batch, size, size, 2])
}

/** Looks a texture up that repeats, at a coarseness of its own for each picture.
 *
 * @param uv - `[B, S, S, 2]`
 * @param blur - `[B, 1, 1, 1]` texels that a pixel covers, at least; absent: sharp
 */
export function lookUp(texture: tf.Tensor4D, uv: tf.Tensor4D, blur?: tf.Tensor4D): tf.Tensor4D {
  if (blur === undefined) return sampleTexture(texture, uv, { wrap: 'repeat' })
  const [, height, width] = uv.shape
  const step = tf.div(blur, texture.shape[1])
  const none = tf.zerosLike(step)
  const one = tf.concat([step, none, none, step], 3)
  return sampleTexture(texture, uv, {
    wrap: 'repeat',
    filter: 'trilinear',
    uvDerivatives: tf.tile(one, [1, height, width, 1]) as tf.Tensor4D,
  })
}
