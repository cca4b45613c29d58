import * as tf from '@tensorflow/tfjs-core'
import { blend, ramp } from './blend.js'
import type { SceneSamples } from '../sample/sample-scene.js'
import type { Sampled } from '../sample/scene-table.js'
import { channels, perPicture } from './tensor-helpers.js'
import { lookUp, transformed, type Textures } from './textures.js'

/** Behind the head: two pieces of clutter, each blurred as sampled and with colours mixed, one in front of the other along a border of
 * clouds; a gradient. `[B, S, S, 3]` linear light. */
export function renderBackground(d: Sampled<SceneSamples>, textures: Textures, size: number): tf.Tensor4D {
  const batch = d.identity.shape[0]
  const look = (i: number, count = 1) => perPicture(d.backgroundLook, i, count)
  const piece = (transform: tf.Tensor2D, blur: tf.Tensor4D, first: number) => {
    const raw = lookUp(textures.leaves, transformed(textures.grid, transform, size), blur)
    const matrix = tf.reshape(tf.slice(d.backgroundColors, [0, first], [-1, 9]), [batch, 3, 3])
    const mixed = tf.matMul(tf.reshape(raw, [batch, size * size, 3]), matrix)
    return tf.add(tf.reshape(mixed, [batch, size, size, 3]), perPicture(d.backgroundColors, first + 9, 3))
  }
  const near = piece(d.nearTransform, look(0), 0)
  const far = piece(d.farTransform, look(1), 12)
  const clouds = lookUp(textures.clouds, transformed(textures.grid, d.shapeTransform, size))
  const clutter = blend(far, near, ramp(channels(clouds, 0), look(2), look(3)))
  const center = tf.sub(tf.reshape(textures.grid, [1, size, size, 2]), 0.5)
  const slope = tf.sum(tf.mul(center, look(5, 2)), 3, true)
  const smooth = tf.add(
    tf.mul(perPicture(d.backgroundBase), tf.exp(tf.mul(channels(clouds, 1), 0.08))),
    tf.mul(slope, tf.mean(perPicture(d.backgroundBase), 3, true)),
  )
  const whole = tf.add(blend(smooth, clutter, look(4)), tf.mul(slope, 0.15))
  return tf.mul(tf.clipByValue(whole, 0.002, 1.5), perPicture(d.backgroundLight)) as tf.Tensor4D
}

/** Pieces of another picture over everything: colour `[B, S, S, 3]` and where they are `[B, S, S, 1]`. */
export function renderPatches(
  d: Sampled<SceneSamples>,
  textures: Textures,
  size: number,
): { color: tf.Tensor4D; alpha: tf.Tensor4D } {
  const grid = tf.reshape(textures.grid, [1, size, size, 2]) as tf.Tensor4D
  const pieces = [0, 8].map((first) => {
    const at = (i: number, count = 1) => perPicture(d.patches, first + i, count)
    const offset = tf.sub(grid, at(0, 2))
    const [x, y] = [channels(offset as tf.Tensor4D, 0), channels(offset as tf.Tensor4D, 1)]
    const u = tf.div(tf.add(tf.mul(x, at(4)), tf.mul(y, at(5))), at(2))
    const v = tf.div(tf.sub(tf.mul(y, at(4)), tf.mul(x, at(5))), at(3))
    const power = at(6)
    const distance = tf.add(
      tf.pow(tf.maximum(tf.abs(u), 1e-4), power),
      tf.pow(tf.maximum(tf.abs(v), 1e-4), power),
    )
    return tf.mul(tf.cast(tf.less(distance, 1), 'float32'), at(7))
  })
  const color = lookUp(textures.leaves, transformed(textures.grid, d.patchTransform, size))
  return {
    color: tf.mul(color, perPicture(d.backgroundLight)),
    alpha: tf.maximum(pieces[0], pieces[1]) as tf.Tensor4D,
  }
}
