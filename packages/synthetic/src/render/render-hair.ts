import * as tf from '@tensorflow/tfjs-core'
import { joinChannels } from './channels.js'
import { blend, ramp } from './blend.js'
import type { SceneSamples } from '../sample/sample-scene.js'
import type { Sampled } from '../sample/scene-table.js'
import { seeLayer, triangleTable, type SeenLayer } from './layer-fragments.js'
import { ATTRIBUTES, type PlacedScene } from '../scene/place-scene.js'
import type { SceneModel } from '../scene/scene-model.js'
import { channels, perPicture, pixelSize } from './tensor-helpers.js'
import { lookUp, type Textures } from './textures.js'

/** A layer that lies over others. All `[B, S, S, ...]`. */
export interface RenderedLayer {
  seen: SeenLayer
  /** 3, linear light. */
  color: tf.Tensor4D
  /** 1, how much of what lies behind is hidden. */
  alpha: tf.Tensor4D
  /** 1 */
  label: tf.Tensor4D
}

/** What is around a head, mm, and is 0 to 1 in its texture coordinates. */
const AROUND = 600
/** Texels that are averaged, of those that a pixel covers: strands are long in one direction. */
const SOFTNESS = 0.6

/** Channel behind those of `ATTRIBUTES`. */
const THICKNESS = 12

/** Makes the function that colours hair and hats: strands of stretched noise, which also fray the edges; cloth with patterns. */
export function hairRenderer(scene: SceneModel, textures: Textures, size: number) {
  const { hair: layer } = scene.layers
  const uv = tf.keep(
    tf.tensor3d(scene.uv.slice(layer.first * 2, (layer.first + layer.count) * 2), [1, layer.count, 2]),
  )
  const table = tf.keep(triangleTable(layer, (t) => [layer.labels[t], layer.parts[t] === 'hat' ? 1 : 0]))

  const render = (d: Sampled<SceneSamples>, placed: PlacedScene): RenderedLayer => {
    const seen = seeLayer(layer, placed.clip, size)
    const lit = seen.spread(joinChannels<tf.Tensor3D>(seen.rows(placed.attributes), placed.thickness))
    const flags = seen.pick(table)
    const isHat = channels(flags, 1)
    const at = seen.spread(uv)
    const look = (i: number) => perPicture(d.hairTexture, i, 1)
    // Locks wave: what is across moves to and fro along the way down.
    const along = channels(at, 1)
    const around = channels(at, 0)
    const soft = lookUp(textures.clouds, tf.add(tf.mul(at, 2), perPicture(d.hairOffset)) as tf.Tensor4D)
    const waved = tf.add(tf.mul(around, look(0)), tf.mul(channels(soft, 0), tf.mul(look(2), 0.6)))
    const strandUv = tf.add(
      joinChannels(waved, tf.mul(along, look(1))),
      perPicture(d.hairOffset),
    ) as tf.Tensor4D
    const across = tf.mul(pixelSize(d.scale, size), (SOFTNESS * textures.clouds.shape[2]) / AROUND)
    const strands = lookUp(textures.clouds, strandUv, tf.mul(across, look(0)) as tf.Tensor4D)
    const locks = tf.add(tf.mul(channels(strands, 0), 0.6), tf.mul(channels(strands, 2), 0.5))
    const tips = ramp(tf.add(tf.mul(along, 1.3), tf.mul(channels(soft, 1), 0.15)), 0.35, 2)
    const base = blend(perPicture(d.hairColor), perPicture(d.hairTips), tips)
    const irradiance = tf.maximum(channels(lit, ATTRIBUTES.irradiance, 3), 0.01)
    const thickness = channels(lit, THICKNESS)
    // Near the skin, less light comes through.
    const depth = tf.add(0.55, tf.mul(ramp(thickness, 0, 0.06), 0.45))
    const hairColor = tf.mul(tf.mul(base, tf.mul(irradiance, depth)), tf.exp(tf.mul(locks, look(3))))
    const gleam = tf.mul(tf.mul(irradiance, look(4)), tf.mul(0.05, tf.exp(tf.mul(locks, 0.8))))
    const haired = tf.add(hairColor, gleam)
    const pattern = lookUp(
      textures.leaves,
      transformed4d(at, d.patternTransform),
      patternBlur(d, textures, size, AROUND),
    )
    const dyed = blend(
      channels(lit, ATTRIBUTES.albedo, 3),
      tf.mul(pattern, 1.5),
      perPicture(d.patternStrength),
    )
    const wool = tf.exp(tf.mul(tf.add(channels(strands, 2), channels(soft, 0)), 0.1))
    const hat = tf.add(tf.mul(tf.mul(dyed, wool), irradiance), channels(lit, ATTRIBUTES.specular, 3))
    const frayed = tf.add(tf.sub(thickness, 0.6), tf.mul(locks, look(5)))
    const hairAlpha = tf.mul(ramp(tf.add(frayed, tf.mul(thickness, 0.35)), 0, 0.55), ramp(thickness, -0.8, 1))
    const alpha = blend(hairAlpha, ramp(thickness, 0.2, 4), isHat)
    return {
      seen,
      color: blend(haired, hat, isHat),
      alpha: tf.mul(alpha, seen.there),
      label: channels(flags, 0),
    }
  }
  return { render, dispose: () => tf.dispose([uv, table]) }
}

/** Texels of a pattern that a pixel covers: `[B, 1, 1, 1]`.
 *
 * @param length - mm over which texture coordinates grow by 1
 */
export function patternBlur(
  d: Sampled<SceneSamples>,
  textures: Textures,
  size: number,
  length: number,
): tf.Tensor4D {
  const linear = perPicture(d.patternTransform, 0, 4)
  const growth = tf.sqrt(tf.mean(tf.square(linear), 3, true))
  const texels = (SOFTNESS * textures.leaves.shape[2] * Math.SQRT2) / length
  return tf.mul(tf.mul(pixelSize(d.scale, size), growth), texels) as tf.Tensor4D
}

/** Coordinates of a surface under each picture's transform. */
export function transformed4d(uv: tf.Tensor4D, transform: tf.Tensor2D): tf.Tensor4D {
  const at = (i: number) => perPicture(transform, i, 1)
  const [u, v] = [channels(uv, 0), channels(uv, 1)]
  const moved = (c: number) => tf.add(tf.add(tf.mul(u, at(c)), tf.mul(v, at(2 + c))), at(4 + c))
  return joinChannels(moved(0), moved(1))
}
