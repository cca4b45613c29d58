import * as tf from '@tensorflow/tfjs-core'
import { blend, ramp } from './blend.js'
import type { SceneSamples } from '../sample/sample-scene.js'
import type { Sampled } from '../sample/scene-table.js'
import { seeLayer, triangleTable } from './layer-fragments.js'
import { patternBlur, transformed4d, type RenderedLayer } from './render-hair.js'
import { ATTRIBUTES, type PlacedScene } from '../scene/place-scene.js'
import type { SceneModel } from '../scene/scene-model.js'
import { channels, perPicture, pixelSize } from './tensor-helpers.js'
import { lookUp, type Textures } from './textures.js'

/** What lies before the face: glasses, masks, scarves, brims, hands, objects. */
export interface RenderedFront extends RenderedLayer {
  /** 1 where there is anything. */
  there: tf.Tensor4D
  /** 1 where the face behind does not count as seen: everything but clear lenses. */
  hides: tf.Tensor4D
  /** 1 where it is skin. */
  bare: tf.Tensor4D
}

/** Mm over which texture coordinates of cloth and objects grow by 1, about. */
const PATTERN = 150
/** Repetitions of the noise of lashes over 100 mm. */
const LASHES = 9
/** A lens hides what is behind it from this tint on. */
const DARK = 0.4

/** Makes the function that colours what lies before the face. */
export function frontRenderer(scene: SceneModel, textures: Textures, size: number) {
  const { front: layer } = scene.layers
  const slice = <T extends Float32Array>(values: T, width: number) =>
    values.slice(layer.first * width, (layer.first + layer.count) * width)
  const uv = tf.keep(tf.tensor3d(slice(scene.uv, 2), [1, layer.count, 2]))
  const table = tf.keep(
    triangleTable(layer, (t) => {
      const material = layer.materials[t]
      const patterned =
        material === 'hat' || material === 'object' || material === 'scarf' || material === 'mask'
      return [
        layer.labels[t],
        material === 'lens' ? 1 : 0,
        material === 'hand' ? 1 : 0,
        patterned ? (material === 'mask' ? 0.25 : 1) : 0,
        material === 'mask' ? 1 : 0,
        material === 'lash' ? 1 : 0,
      ]
    }),
  )

  const render = (d: Sampled<SceneSamples>, placed: PlacedScene): RenderedFront => {
    const seen = seeLayer(layer, placed.clip, size)
    const lit = seen.spread(seen.rows(placed.attributes))
    const flags = seen.pick(table)
    const [isLens, isHand, patterned] = [1, 2, 3].map((c) => channels(flags, c))
    const at = seen.spread(uv)
    const irradiance = tf.maximum(channels(lit, ATTRIBUTES.irradiance, 3), 0.01)
    const pattern = lookUp(
      textures.leaves,
      transformed4d(at, d.patternTransform),
      patternBlur(d, textures, size, PATTERN),
    )
    const strength = tf.mul(patterned, perPicture(d.patternStrength))
    const fine = lookUp(textures.clouds, tf.mul(at, 3) as tf.Tensor4D)
    const grain = tf.exp(tf.mul(tf.add(channels(fine, 0), channels(fine, 2)), 0.06))
    const albedo = tf.mul(blend(channels(lit, ATTRIBUTES.albedo, 3), tf.mul(pattern, 1.5), strength), grain)
    const solid = tf.add(tf.mul(albedo, irradiance), channels(lit, ATTRIBUTES.specular, 3))
    // A lens shows what lies before it: a piece of another picture, by where it looks.
    const look = (i: number, count = 1) => perPicture(d.lensLook, i, count)
    const looks = tf.add(tf.mul(channels(lit, ATTRIBUTES.normals, 2), 0.9), look(3, 2)) as tf.Tensor4D
    const mirrored = lookUp(textures.leaves, looks)
    const brightness = tf.mean(irradiance, 3, true)
    const glass = tf.add(
      tf.mul(tf.mul(perPicture(d.lensColor), irradiance), look(0)),
      tf.add(
        tf.mul(tf.mul(mirrored, brightness), look(2)),
        tf.mul(channels(lit, ATTRIBUTES.specular, 3), 0.6),
      ),
    )
    const faded = tf.sub(
      look(0),
      tf.mul(tf.mul(look(1), look(0)), ramp(tf.mul(channels(at, 1), -1), -0.1, 4)),
    )
    const reflects = tf.mul(tf.mean(mirrored, 3, true), tf.mul(look(2), 0.7))
    const lensAlpha = tf.clipByValue(tf.add(faded, reflects), 0, 1)
    // Light of a lens is added to what shines through: divided by alpha, as the layer is blended with it.
    const lens = tf.div(glass, tf.maximum(lensAlpha, 0.05))
    const dark = tf.cast(tf.greater(look(0), DARK), 'float32')
    const hides = tf.add(tf.sub(1, isLens), tf.mul(isLens, dark))
    const [isMask, isLash] = [4, 5].map((c) => channels(flags, c))
    // Single hairs, denser here and there; the shorter ones end before the others.
    const hairs = lookUp(
      textures.clouds,
      tf.mul(at, tf.tensor1d([LASHES, 0.1])) as tf.Tensor4D,
      tf.mul(pixelSize(d.scale, size), (LASHES * textures.clouds.shape[2]) / 100) as tf.Tensor4D,
    )
    const lash = (i: number) => perPicture(d.lashLook, i, 1)
    const tips = ramp(tf.sub(tf.add(lash(1), tf.mul(channels(hairs, 2), 0.07)), channels(at, 1)), 0, 2.2)
    const lashAlpha = tf.mul(
      tf.clipByValue(tf.mul(tips, tf.add(tf.mul(channels(hairs, 2), 0.35), 1)), 0, 1),
      tf.mul(lash(0), tf.sub(1, tf.mul(tf.square(channels(at, 1)), 0.5))),
    )
    const there = tf.mul(
      seen.there,
      tf.sub(1, tf.add(isLash, tf.mul(isMask, tf.cast(tf.less(channels(at, 1), 0), 'float32')))),
    )
    return {
      seen,
      color: blend(solid, lens, isLens),
      there: there as tf.Tensor4D,
      alpha: tf.add(
        tf.mul(blend(tf.onesLike(lensAlpha), lensAlpha, isLens), there),
        tf.mul(lashAlpha, isLash),
      ) as tf.Tensor4D,
      label: channels(flags, 0),
      hides: tf.mul(hides, there),
      bare: tf.mul(isHand, there),
    }
  }
  return { render, dispose: () => tf.dispose([uv, table]) }
}
