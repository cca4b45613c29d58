import { sampleTexture } from '@facekit/rasterizer'
import * as tf from '@tensorflow/tfjs-core'
import type { SceneSamples } from '../sample/sample-scene.js'
import type { Sampled } from '../sample/scene-table.js'
import { channels, perPicture } from './tensor-helpers.js'
import { lookUp, type Textures } from './textures.js'

const TAPS = [-1, -0.5, 0, 0.5, 1]
/** JPEG's own table for brightness, of Annex K of ITU-T T.81, by its largest. */
const STEPS = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22,
  29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103,
  121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
].map((value) => value / 16)
const TO_YCC = [0.299, -0.168736, 0.5, 0.587, -0.331264, -0.418688, 0.114, 0.5, -0.081312]
const FROM_YCC = [1, 1, 1, 0, -0.344136, 1.772, 1.402, -0.714136, 0]

/** Makes the function that does to pictures what cameras and files do: motion and low resolution, colours and tone, noise, blocks.
 *
 * @returns `[B, S, S, 3]` encoded, 0..1, from the same
 */
export function cameraEffects(textures: Textures, size: number) {
  const cosines = dctMatrix()
  const forward = tf.keep(tf.tensor2d(cosines, [64, 64]))
  const back = tf.keep(tf.transpose(forward))
  const steps = tf.keep(tf.tensor2d(STEPS, [1, 64]))
  const toYcc = tf.keep(tf.tensor2d(TO_YCC, [3, 3]))
  const fromYcc = tf.keep(tf.tensor2d(FROM_YCC, [3, 3]))
  const rows = (picture: tf.Tensor) => tf.reshape(picture, [-1, 3]) as tf.Tensor2D

  const apply = (picture: tf.Tensor4D, d: Sampled<SceneSamples>): tf.Tensor4D => {
    const batch = picture.shape[0]
    const grid = tf.tile(tf.reshape(textures.grid, [1, size, size, 2]), [batch, 1, 1, 1]) as tf.Tensor4D
    // Several moments of a moving camera.
    const moments = TAPS.map((moment) => {
      const uv = tf.add(grid, tf.mul(perPicture(d.cameraMotion), moment)) as tf.Tensor4D
      return sampleTexture(picture, uv, { origin: 'upper-left' })
    })
    const moved = tf.mul(tf.addN(moments), 1 / TAPS.length) as tf.Tensor4D
    // A small picture takes a corner of the large one, where noise and blocks have the size that they have in small pictures.
    const coarse = perPicture(d.cameraCoarse, 0, 1)
    const step = tf.div(tf.mul(coarse, perPicture(d.cameraCoarse, 1, 1)), size)
    const none = tf.zerosLike(step)
    const small = sampleTexture(moved, tf.mul(grid, coarse) as tf.Tensor4D, {
      origin: 'upper-left',
      filter: 'trilinear',
      uvDerivatives: tf.tile(tf.concat([step, none, none, step], 3), [1, size, size, 1]) as tf.Tensor4D,
    })
    const soft = tf.avgPool(small, 3, 1, 'same')
    const sharp = tf.add(small, tf.mul(tf.sub(small, soft), perPicture(d.cameraCoarse, 2, 1)))
    const matrix = tf.reshape(d.cameraMatrix, [batch, 3, 3])
    const colored = tf.reshape(tf.matMul(tf.reshape(sharp, [batch, size * size, 3]), matrix), sharp.shape)
    const tone = (i: number) => perPicture(d.cameraTone, i, 1)
    const contrasted = tf.add(tf.mul(tf.sub(colored, 0.45), tone(0)), tf.add(tone(1), 0.45))
    const toned = tf.pow(tf.clipByValue(contrasted, 1e-4, 1), tone(2))
    const noisy = tf.clipByValue(addNoise(toned as tf.Tensor4D, grid, d), 0, 1) as tf.Tensor4D
    return sampleTexture(compress(noisy, d), tf.div(grid, coarse) as tf.Tensor4D, { origin: 'upper-left' })
  }

  function addNoise(picture: tf.Tensor4D, grid: tf.Tensor4D, d: Sampled<SceneSamples>): tf.Tensor4D {
    const look = (i: number, count = 1) => perPicture(d.cameraNoise, i, count)
    const scale = size / textures.grain.shape[1]
    const uv = tf.add(tf.mul(tf.mul(grid, scale), look(3)), look(4, 2)) as tf.Tensor4D
    const grain = lookUp(textures.grain, uv)
    const grey = channels(grain, 0)
    const colored = tf.add(grey, tf.mul(tf.sub(grain, grey), look(2)))
    const strength = tf.add(look(0), tf.mul(look(1), tf.sqrt(tf.maximum(picture, 0.01))))
    return tf.add(picture, tf.mul(colored, strength)) as tf.Tensor4D
  }

  /** Blocks of 8 x 8 in cosines, rounded to steps: what JPEG loses. Colour loses twice as much as brightness. */
  function compress(picture: tf.Tensor4D, d: Sampled<SceneSamples>): tf.Tensor4D {
    const batch = picture.shape[0]
    const blocks = size / 8
    const ycc = tf.reshape(tf.matMul(rows(picture), toYcc), [batch, size, size, 3])
    const planes = tf.reshape(tf.transpose(ycc, [0, 3, 1, 2]), [batch * 3 * blocks, 8, blocks, 8])
    const tiles = tf.reshape(tf.transpose(planes, [0, 2, 1, 3]), [
      batch * 3 * blocks * blocks,
      64,
    ]) as tf.Tensor2D
    const spectrum = tf.reshape(tf.matMul(tiles, forward), [batch, 3, blocks * blocks, 64])
    const coarse = tf.reshape(tf.maximum(d.cameraBlocks, 1e-4), [batch, 1, 1, 1])
    const step = tf.mul(
      tf.mul(tf.reshape(steps, [1, 1, 1, 64]), coarse),
      tf.tensor4d([1, 1.8, 1.8], [1, 3, 1, 1]),
    )
    const rounded = tf.reshape(tf.mul(tf.round(tf.div(spectrum, step)), step), [-1, 64]) as tf.Tensor2D
    const lost = tf.reshape(tf.matMul(rounded, back), [batch * 3 * blocks, blocks, 8, 8])
    const whole = tf.reshape(tf.transpose(lost, [0, 2, 1, 3]), [batch, 3, size, size])
    const rgb = tf.matMul(rows(tf.transpose(whole, [0, 2, 3, 1])), fromYcc)
    const result = tf.clipByValue(tf.reshape(rgb, picture.shape), 0, 1)
    const on = tf.reshape(tf.cast(tf.greater(d.cameraBlocks, 0), 'float32'), [batch, 1, 1, 1])
    return tf.add(picture, tf.mul(tf.sub(result, picture), on)) as tf.Tensor4D
  }

  return { apply, dispose: () => tf.dispose([forward, back, steps, toYcc, fromYcc]) }
}

/** `[64 * 64]`: a block's pixels, row by row, to its cosines. */
function dctMatrix(): Float32Array {
  const result = new Float32Array(64 * 64)
  const scale = (k: number) => Math.sqrt((k === 0 ? 1 : 2) / 8)
  for (let y = 0; y < 8; y++) {
    for (let x = 0; x < 8; x++) {
      for (let v = 0; v < 8; v++) {
        for (let u = 0; u < 8; u++) {
          const value =
            scale(u) *
            scale(v) *
            Math.cos(((2 * x + 1) * u * Math.PI) / 16) *
            Math.cos(((2 * y + 1) * v * Math.PI) / 16)
          result[(y * 8 + x) * 64 + v * 8 + u] = value
        }
      }
    }
  }
  return result
}
