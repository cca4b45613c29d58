import { rasterize, sampleTexture } from '@facekit/rasterizer'
import * as tf from '@tensorflow/tfjs-core'
import { ramp } from './blend.js'
import type { SceneSamples } from '../sample/sample-scene.js'
import type { Sampled } from '../sample/scene-table.js'
import type { SceneModel } from '../scene/scene-model.js'
import { channels, perPicture } from './tensor-helpers.js'

/** Width and height of the picture that the lamp sees. */
const SIZE = 192
/** How sharply the exponential tells depths apart: e^SHARPNESS is near the largest number of 32 bits. */
const SHARPNESS = 80
/** Of what an exponential shadow map says: what counts as shadow of its own surface, and how fast light comes back. */
const FIRST = 0.12
const SLOPE = 1.9

/* Contributor notes
 *
 * Exponential shadow maps (Annen et al., "Exponential Shadow Maps", Graphics Interface 2008): the lamp's picture of e^(c depth) can be blurred
 * before it is compared, so that one trilinear look-up gives a soft edge.
 */

/** Makes the function that finds where the strongest lamp's light is blocked by the head, hair, hats and whatever lies before the face.
 *
 * @returns from the light's view of all vertices: for places `[B, S, S, 3]` in that view the share of the lamp's light that gets there, `[B, S, S, 1]`
 */
export function shadowCaster(scene: SceneModel) {
  const { head, hair, front } = scene.layers
  const blocking = [head, hair, front].flatMap((layer) => {
    const result: number[] = []
    layer.materials.forEach((material, t) => {
      if (material === 'lens' || material === 'lash') return
      for (let k = 0; k < 3; k++) result.push(layer.triangles[t * 3 + k] + layer.first)
    })
    return result
  })
  const triangles = Int32Array.from(blocking)

  return (d: Sampled<SceneSamples>, light: tf.Tensor3D) => {
    const ones = tf.onesLike(tf.slice(light, [0, 0, 0], [-1, -1, 1]))
    const clip = tf.concat([light, ones], 2) as tf.Tensor3D
    const { depth } = rasterize(clip, triangles, { width: SIZE, height: SIZE })
    const far = (z: tf.Tensor) => tf.mul(tf.add(z, 1), SHARPNESS / 2)
    const map = tf.exp(far(depth))
    const step = tf.div(perPicture(d.keyShadow, 1, 1), SIZE)
    const none = tf.zerosLike(step)
    const footprint = tf.concat([step, none, none, step], 3)
    return (places: tf.Tensor4D): tf.Tensor4D => {
      const [, height, width] = places.shape
      const uv = tf.add(tf.mul(channels(places, 0, 2), 0.5), 0.5) as tf.Tensor4D
      const blocked = sampleTexture(map as tf.Tensor4D, uv, {
        filter: 'trilinear',
        uvDerivatives: tf.tile(footprint, [1, height, width, 1]) as tf.Tensor4D,
      })
      return ramp(tf.mul(blocked, tf.exp(tf.neg(far(channels(places, 2))))), FIRST, SLOPE)
    }
  }
}
