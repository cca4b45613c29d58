import { createRandom, restoreRandom, ValueError, type RandomState } from '@facekit/core'
import { neutralParameters, packParameters, type ParameterLayout } from '@facekit/parameters'
import type { BatchSource } from '@facekit/trainer'
import * as tf from '@tensorflow/tfjs-core'
import type { FacePoints } from './face-points.js'
import type { Photographs } from './photograph-file.js'
import { changedPictures, drawChanges, type RegressorBatch } from './regressor-batches.js'
import { seenPoints } from './regressor-loss.js'

/** As a `RegressorBatch`, of which the light and the albedo say nothing; and `[B, S, S, 3]` face region, probability of skin and opening of the mouth,
 * and `[B, 68, 2]` landmarks, pixels. */
export type PhotographBatch = [...RegressorBatch, masks: tf.Tensor4D, landmarks: tf.Tensor3D]

/** How many tensors a `PhotographBatch` has. */
export const PHOTOGRAPH_TENSORS = 6

/** Options of `photographBatches`. */
export interface PhotographBatchesOptions {
  layout: ParameterLayout
  batch: number
  seed?: number
  /** How much pictures are changed, 0 to 1. Default 1. */
  strength?: number
}

/** Photographs in one tensor: uploads stay below what a GPU takes at once, and a batch is of one of them. */
const CHUNK = 128

/** Random batches of photographs, half of them mirrored, moved and coloured as rendered faces are. All of them stay on the backend.
 *
 * @param only - numbers of the photographs that are used
 * @memory until `dispose`
 */
export function photographBatches(
  photographs: Photographs,
  only: readonly number[],
  face: FacePoints,
  { layout, batch, seed = 1, strength = 1 }: PhotographBatchesOptions,
): BatchSource<PhotographBatch> & { dispose(): void } {
  if (only.length < batch)
    throw new ValueError(
      `photographBatches: ${only.length} photographs, expected a batch of ${batch} at least`,
    )
  let random = createRandom(seed)
  const order = createRandom(seed).shuffle([...only])
  const chunks: Chunk[] = []
  // The last one is no smaller than the others: it may overlap with the one before.
  for (let first = 0; first < order.length; first += CHUNK) {
    const from = Math.max(0, Math.min(first, order.length - CHUNK))
    chunks.push(uploadChunk(photographs, order.slice(from, from + CHUNK)))
  }
  return {
    async next() {
      const chunk = chunks[Math.floor(random.uniform() * chunks.length)]
      const all = Array.from({ length: chunk.rows.length }, (_, i) => i)
      const chosen = random.shuffle(all).slice(0, batch)
      const sides = chosen.map(() => (random.uniform() < 0.5 ? 1 : 0))
      const draws = drawChanges(batch, random, strength)
      try {
        return tf.tidy(() => drawBatch(photographs, chunk, chosen, sides, draws, { face, layout }))
      } finally {
        draws.dispose()
      }
    },
    state: () => random.state(),
    restore: (state) => void (random = restoreRandom(state as RandomState)),
    dispose: () => tf.dispose(chunks.map(({ pixels }) => pixels)),
  }
}

interface Chunk {
  /** Numbers of the photographs. */
  rows: number[]
  /** `[C, S, S, 6]` picture and masks, 0..1. */
  pixels: tf.Tensor4D
}

function uploadChunk({ pictures, masks, size }: Photographs, rows: number[]): Chunk {
  const pixels = size * size
  const values = new Float32Array(rows.length * pixels * 6)
  for (const [i, row] of rows.entries()) {
    for (let p = 0; p < pixels; p++) {
      for (let c = 0; c < 3; c++) {
        values[(i * pixels + p) * 6 + c] = pictures[(row * pixels + p) * 3 + c] / 255
        values[(i * pixels + p) * 6 + 3 + c] = masks[(row * pixels + p) * 3 + c] / 255
      }
    }
  }
  return { rows, pixels: tf.tensor4d(values, [rows.length, size, size, 6]) }
}

function drawBatch(
  photographs: Photographs,
  { rows, pixels }: Chunk,
  chosen: readonly number[],
  sides: readonly number[],
  draws: tf.Tensor2D,
  { face, layout }: { face: FacePoints; layout: ParameterLayout },
): PhotographBatch {
  const batch = chosen.length
  const of = (data: Float32Array) => {
    const length = data.length / photographs.count / 2
    const values = new Float32Array(batch * length)
    for (const [b, row] of chosen.entries()) {
      const start = (2 * rows[row] + sides[b]) * length
      values.set(data.subarray(start, start + length), b * length)
    }
    return tf.tensor2d(values, [batch, length])
  }
  const [rotation, translation, scale] = tf.split(of(photographs.pose), [3, 3, 1], 1) as tf.Tensor2D[]
  const found = {
    ...neutralParameters(layout, batch),
    identity: of(photographs.identity),
    expression: of(photographs.expression),
    pose: { rotation, translation, scale },
  }
  const upright = tf.gather(pixels, tf.tensor1d([...chosen], 'int32')) as tf.Tensor4D
  const mirror = tf.tensor4d([...sides], [batch, 1, 1, 1])
  const turned = tf.add(upright, tf.mul(mirror, tf.sub(tf.reverse(upright, 2), upright))) as tf.Tensor4D
  const landmarks = tf.reshape(of(photographs.landmarks), [batch, 68, 2])
  const flat = tf.concat([landmarks, tf.zeros([batch, 68, 1])], 2)
  const points = seenPoints(found, face)
  const count = points.shape[1]
  const moved = changedPictures(turned, tf.concat([points, flat], 1) as tf.Tensor3D, draws)
  const places = (from: number, length: number, numbers: number) =>
    tf.slice(moved.points, [0, from, 0], [-1, length, numbers]) as tf.Tensor3D
  return [
    moved.images,
    places(0, count, 3),
    tf.ones([batch, count]),
    packParameters(found),
    moved.masks!,
    places(count, 68, 2),
  ]
}
