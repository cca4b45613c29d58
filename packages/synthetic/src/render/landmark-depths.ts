import { gatherVertices, type MorphableModel } from '@facekit/morphable'
import { clipToPixels } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'

const JAW = 17

/** How far away the landmarks of a face are. Those of the jaw slide along the outline that is seen: each has the depth of the vertex
 * of its row of `jawContours` at which it is.
 *
 * @param clip - `[B, N, 4]` of the face's vertices
 * @param landmarks - `[B, 68, 2]` pixels
 * @returns `[B, 68, 1]` z / w
 */
export function landmarkDepths(
  model: MorphableModel,
  clip: tf.Tensor3D,
  landmarks: tf.Tensor3D,
  size: number,
): tf.Tensor3D {
  const batch = clip.shape[0]
  const depth = (points: tf.Tensor3D) =>
    tf.div(
      tf.slice(points, [0, 0, 2], [-1, -1, 1]),
      tf.maximum(tf.slice(points, [0, 0, 3], [-1, -1, 1]), 1e-3),
    ) as tf.Tensor3D
  const rows = model.jawContours
  if (!rows) return depth(gatherVertices(clip, model.landmarks))
  const width = Math.max(1, ...rows.map((row) => row.length))
  const candidates = Int32Array.from({ length: JAW * width }, (_, i) => {
    const row = rows[Math.floor(i / width)]
    return row[i % width] ?? row[0] ?? model.landmarks[Math.floor(i / width)]
  })
  const points = gatherVertices(clip, candidates)
  const pixels = tf.reshape(clipToPixels(points, { width: size, height: size }), [batch, JAW, width, 2])
  const wanted = tf.reshape(tf.slice(landmarks, [0, 0, 0], [-1, JAW, 2]), [batch, JAW, 1, 2])
  const distance = tf.sum(tf.squaredDifference(pixels, wanted), 3)
  const isChosen = tf.lessEqual(distance, tf.add(tf.min(distance, 2, true), 1e-2))
  const depths = tf.reshape(depth(points), [batch, JAW, width])
  const jaw = tf.min(tf.where(isChosen, depths, tf.fill(depths.shape, 2)), 2)
  const inner = depth(gatherVertices(clip, model.landmarks.subarray(JAW)))
  return tf.concat([tf.reshape(jaw, [batch, JAW, 1]), inner], 1) as tf.Tensor3D
}
