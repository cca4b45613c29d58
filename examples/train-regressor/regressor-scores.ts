import { disposeParameters, unpackParameters, type FaceParameters } from '@facekit/parameters'
import * as tf from '@tensorflow/tfjs-core'
import type { FacePoints } from './face-points.js'
import type { RegressorBatch } from './regressor-batches.js'
import { litSkin, metricOf, OPENINGS, pictureColorError, seenPoints } from './regressor-loss.js'

const IBUG = 68
/** Heads that look about to the front, radians of yaw. */
const FRONTAL = 0.35

/** How well parameters meet those of rendered faces, means over the pictures:
 *
 * - `found`, `foundInner`: share of the differences between people, in per cent, over the whole face and over the inner landmarks (0: one face for
 *   everybody, 100: perfect); `foundFrontal`: `found` of frontal heads
 * - `landmarks`: distance of the 68 over the square root of the area of their box, per cent; `depth`: pixels of 224
 * - `openings` of lids and lips, pixels; `expression`: mm; `turn`: degrees; `color`: encoded colour of the skin, 0..1; `seenColor`: the
 *   same against the picture's pixels
 *
 * @param predict - parameters of pictures; they are disposed here
 */
export async function regressorScores(
  predict: (images: tf.Tensor4D) => FaceParameters,
  layout: Parameters<typeof unpackParameters>[1],
  face: FacePoints,
  batches: readonly RegressorBatch[],
): Promise<Record<string, number>> {
  const rows: Float32Array[] = []
  for (const batch of batches) {
    const scores = tf.tidy(() => {
      const found = predict(batch[0])
      const scores = measure(found, unpackParameters(batch[3], layout), face, batch)
      disposeParameters(found)
      return scores
    })
    const values = (await scores.data()) as Float32Array
    const columns = scores.shape[1]
    for (let i = 0; i < values.length; i += columns) rows.push(values.slice(i, i + columns))
    scores.dispose()
  }
  const mean = (column: number, of = rows) => of.reduce((sum, row) => sum + row[column], 0) / of.length
  const share = (missed: number, all: number, of = rows) => 100 * (1 - mean(missed, of) / mean(all, of))
  const frontal = rows.filter((row) => Math.abs(row[4]) < FRONTAL)
  return {
    found: share(0, 1),
    foundInner: share(2, 3),
    foundFrontal: share(0, 1, frontal),
    landmarks: 100 * mean(5),
    depth: mean(6),
    openings: mean(7),
    expression: mean(8),
    turn: (mean(9) * 180) / Math.PI,
    color: mean(10),
    seenColor: mean(11),
  }
}

/** `[B, 12]` */
function measure(
  found: FaceParameters,
  truth: FaceParameters,
  face: FacePoints,
  batch: RegressorBatch,
): tf.Tensor2D {
  const [, points] = batch
  const difference = tf.sub(found.identity, truth.identity) as tf.Tensor2D
  const { metrics } = face
  const offset = tf.sub(seenPoints(found, face), points)
  const across = tf.slice(offset, [0, 0, 0], [-1, -1, 2])
  const few = (tensor: tf.Tensor) => tf.slice(tensor, [0, 0, 0], [-1, IBUG, 2])
  const places = few(points)
  const box = tf.sqrt(tf.prod(tf.sub(tf.max(places, 1), tf.min(places, 1)), 1))
  const gaps = OPENINGS.map(([upper, lower]) =>
    tf.norm(
      tf.sub(
        ...([upper, lower].map((k) => tf.slice(across, [0, k, 0], [-1, 1, -1])) as [tf.Tensor, tf.Tensor]),
      ),
      2,
      2,
    ),
  )
  const expression = tf.sub(found.expression, truth.expression) as tf.Tensor2D
  const moved = tf.reshape(tf.matMul(expression, face.expression), [expression.shape[0], -1, 3])
  const [a, b] = [found, truth].map((parameters) => litSkin(parameters, truth.pose.rotation, face.skin))
  const color = tf.mul(tf.mean(tf.abs(tf.sub(a.color, b.color)), 2, true), a.faces)
  const seen = pictureColorError(found, truth.pose.rotation, face, batch)
  const off = tf.mul(tf.mean(tf.abs(seen.difference), 2), seen.shown)
  const columns: tf.Tensor[] = [
    metricOf(difference, metrics.face),
    metricOf(truth.identity, metrics.face),
    metricOf(difference, metrics.landmarks),
    metricOf(truth.identity, metrics.landmarks),
    tf.reshape(tf.slice(truth.pose.rotation, [0, 1], [-1, 1]), [-1]),
    tf.div(tf.mean(tf.norm(few(offset), 2, 2), 1), box),
    tf.mean(tf.abs(tf.slice(offset, [0, 0, 2], [-1, -1, 1])), [1, 2]),
    tf.mean(tf.concat(gaps, 1), 1),
    tf.mean(tf.norm(moved, 2, 2), 1),
    tf.mean(tf.abs(tf.sub(found.pose.rotation, truth.pose.rotation)), 1),
    tf.div(tf.sum(color, [1, 2]), tf.maximum(tf.sum(a.faces, [1, 2]), 1)),
    tf.div(tf.sum(off, 1), tf.maximum(tf.sum(seen.shown, 1), 1)),
  ]
  return tf.stack(columns, 1) as tf.Tensor2D
}
