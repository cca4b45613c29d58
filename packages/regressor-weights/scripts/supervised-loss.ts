import type { FaceParameters } from '@facekit/parameters'
import { evaluateAlbedo, evaluateShape, type MorphableModel } from '@facekit/morphable'
import { transformVertices } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'

/** Pixels of a 224 picture, of vertices `[B, N, 3]` in world space, under the default camera; `[B, N, 2]`. */
function toPixels(vertices: tf.Tensor3D): tf.Tensor3D {
  const [B, N] = vertices.shape
  const depth = tf.sub(1000, tf.slice(vertices, [0, 0, 2], [B, N, 1]))
  return tf.div(tf.mul(tf.slice(vertices, [0, 0, 0], [B, N, 2]), 1015), depth)
}

const squares = (a: tf.Tensor, b: tf.Tensor, unit = 1) =>
  tf.mean(tf.square(tf.mul(tf.sub(a, b), 1 / unit))) as tf.Scalar

/** How far a face is from the one that was rendered, where all of it is known: what is seen counts most (places in the picture, shape,
 * albedo, light), coefficients a little, so that those that hardly show stay near the right ones.
 *
 * @returns a scalar and its summands, weights included
 */
export function supervisedLoss(
  model: MorphableModel,
  found: FaceParameters,
  truth: FaceParameters,
): { total: tf.Scalar; terms: Record<string, tf.Scalar> } {
  const shape = (p: FaceParameters) => evaluateShape(model, p)
  const [a, b] = [found, truth].map((p) => {
    const local = shape(p)
    return { local, seen: toPixels(transformVertices(local, p.pose)), ...evaluateAlbedo(model, p.albedo) }
  })
  const offset = tf.sub(a.seen, b.seen)
  const pixels = tf.mean(tf.sqrt(tf.add(tf.sum(tf.square(offset), 2), 1e-2)))
  const light = [found.illumination, truth.illumination]
  const logs = light.map(({ shininess }) => tf.log(shininess))
  const weighted: [string, tf.Tensor, number][] = [
    ['pixels', pixels, 0.15],
    ['shape', squares(a.local, b.local), 0.3],
    ['diffuse', squares(a.diffuse, b.diffuse, 0.1), 1],
    ['specular', squares(a.specular, b.specular, 0.1), 0.5],
    ['identity', squares(found.identity, truth.identity), 0.1],
    ['expression', squares(found.expression, truth.expression), 5],
    ['albedo', squares(found.albedo, truth.albedo), 0.1],
    ['rotation', squares(found.pose.rotation, truth.pose.rotation, 0.1), 0.2],
    ['translation', squares(found.pose.translation, truth.pose.translation, 30), 0.2],
    ['scale', squares(found.pose.scale, truth.pose.scale, 0.1), 0.2],
    ['harmonics', squares(light[0].sphericalHarmonics, light[1].sphericalHarmonics), 0.5],
    ['lightPosition', squares(light[0].lightPosition, light[1].lightPosition, 1000), 0.1],
    ['lightColor', squares(light[0].lightColor, light[1].lightColor), 0.2],
    ['shininess', squares(logs[0], logs[1]), 0.05],
  ]
  const terms = Object.fromEntries(
    weighted.map(([name, value, weight]) => [name, tf.mul(value, weight) as tf.Scalar]),
  )
  return { total: tf.addN(Object.values(terms)) as tf.Scalar, terms }
}
