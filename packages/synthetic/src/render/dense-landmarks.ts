import { gatherVertices } from '@facekit/morphable'
import { clipToPixels } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'

/** Points of the mesh in three dimensions, all in pixels.
 *
 * depth = (z - mean z) f / mean(distance - z): z towards the camera, over the points, f the focal length in pixels. What it measures has
 * the unit of x and y whatever the head's size and the camera's distance; it is exact where the perspective is weak.
 *
 * @param vertices - `[B, N, 3]` mm, world space
 * @param clip - `[B, N, 4]` the same as the camera sees them
 * @param indices - vertices, L
 * @param camera - `[B, 2]` focal length, pixels; distance from the origin, mm
 * @returns points `[B, L, 3]`, x to the right and y down as landmarks have them, depth towards the camera; depths `[B, L, 1]` z / w of clip space
 */
export function denseLandmarks(
  vertices: tf.Tensor3D,
  clip: tf.Tensor3D,
  indices: Int32Array,
  camera: tf.Tensor2D,
  size: number,
): { points: tf.Tensor3D; depths: tf.Tensor3D } {
  const own = gatherVertices(clip, indices)
  const z = tf.slice(gatherVertices(vertices, indices), [0, 0, 2], [-1, -1, 1])
  const of = (column: number) => tf.expandDims(tf.slice(camera, [0, column], [-1, 1]), 2)
  const middle = tf.mean(z, 1, true)
  const pixelsPerMillimetre = tf.div(of(0), tf.maximum(tf.sub(of(1), middle), 1))
  const depth = tf.mul(tf.sub(z, middle), pixelsPerMillimetre)
  const column = (c: number) => tf.slice(own, [0, 0, c], [-1, -1, 1])
  return {
    points: tf.concat([clipToPixels(own, { width: size, height: size }), depth], 2) as tf.Tensor3D,
    depths: tf.div(column(2), tf.maximum(column(3), 1e-3)) as tf.Tensor3D,
  }
}
