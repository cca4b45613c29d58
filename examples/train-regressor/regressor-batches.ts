import { createRandom, restoreRandom, ValueError, type Random, type RandomState } from '@facekit/core'
import { recordStep } from '@facekit/engine'
import { packParameters } from '@facekit/parameters'
import type { FaceSynthesizer } from '@facekit/synthetic'
import type { BatchSource } from '@facekit/trainer'
import * as tf from '@tensorflow/tfjs-core'

/** Pictures `[B, S, S, 3]`; `[B, N, 3]` dense landmarks, pixels and depths in pixels; `[B, N]` which of them are seen; `[B, P]` packed parameters,
 * of which the pose is only as good as its rotation: the faces were seen by other cameras than the default one. */
export type RegressorBatch = [
  images: tf.Tensor4D,
  points: tf.Tensor3D,
  visibility: tf.Tensor2D,
  parameters: tf.Tensor2D,
]

/** Options of `regressorBatches`. */
export interface RegressorBatchesOptions {
  /** How often each rendered picture is used, each time moved and coloured in another way. Default 3. */
  uses?: number
  seed?: number
  /** How much pictures are changed, 0 to 1. Default 1. */
  strength?: number
}

const FIELDS = ['zoom', 'x', 'y', 'gain', 'offset', 'grey', 'red', 'green', 'blue', 'blur'] as const
type Field = (typeof FIELDS)[number]
const GREY = [0.299, 0.587, 0.114]

/** Batches of rendered faces for a regressor: aligned as it sees them when it is used, a little off in place and size, under changing colours. Nothing
 * is turned or mirrored, so that light and rotation stay what they are.
 *
 * A batch after `restore` is to the bit what it would have been.
 *
 * @param synthesizer - of a model with `denseLandmarks`; the caller still owns it
 * @memory keeps one rendered batch, until `dispose`
 * @throws {ValueError} when the pictures come without dense landmarks
 */
export function regressorBatches(
  synthesizer: FaceSynthesizer,
  { uses = 3, seed = 1, strength = 1 }: RegressorBatchesOptions = {},
): BatchSource<RegressorBatch> & { dispose(): void } {
  let random = createRandom(seed)
  let source: unknown = synthesizer.state()
  let used = 0
  let rendered: RegressorBatch | undefined
  const change = recordStep((images: tf.Tensor4D, points: tf.Tensor3D, draws: tf.Tensor2D) => {
    const changed = changedPictures(images, points, draws)
    return { images: changed.images, points: changed.points }
  })
  const forget = () => {
    tf.dispose(rendered)
    rendered = undefined
  }
  return {
    async next() {
      if (used === uses) {
        forget()
        used = 0
        source = synthesizer.state()
      }
      rendered ??= render(synthesizer)
      const [pictures, places, visibility, parameters] = rendered
      const draws = drawChanges(pictures.shape[0], random, strength)
      const { images, points } = change(pictures, places, draws)
      draws.dispose()
      used++
      return [images, points, tf.clone(visibility), tf.clone(parameters)]
    },
    state: () => ({
      ...(used === uses ? { source: synthesizer.state(), used: 0 } : { source, used }),
      random: random.state(),
    }),
    restore(state) {
      const stored = state as { source?: unknown; used?: number; random?: RandomState } | undefined
      if (!Number.isInteger(stored?.used) || !stored?.random)
        throw new ValueError(`regressorBatches: ${JSON.stringify(state)} is no state of these batches`)
      forget()
      random = restoreRandom(stored.random)
      used = stored.used!
      source = stored.source
      synthesizer.restore(source)
    },
    dispose() {
      forget()
      change.dispose()
    },
  }
}

function render(synthesizer: FaceSynthesizer): RegressorBatch {
  const batch = synthesizer.next()
  const { image, denseLandmarks, denseVisibility, parameters } = batch
  try {
    if (!denseLandmarks || !denseVisibility) {
      throw new ValueError(
        'regressorBatches: the pictures have no denseLandmarks; render a model that names them',
      )
    }
    return tf.tidy(() => [
      tf.clone(image),
      tf.clone(denseLandmarks),
      tf.clone(denseVisibility),
      packParameters(parameters),
    ])
  } finally {
    tf.dispose(batch as unknown as tf.TensorContainerObject)
  }
}

/** `[B, 10]` random numbers for `changedPictures`. */
export function drawChanges(count: number, random: Random, strength: number): tf.Tensor2D {
  const values = new Float32Array(count * FIELDS.length)
  for (let i = 0; i < count; i++) {
    const tint = () => random.uniform(1 - 0.07 * strength, 1 + 0.07 * strength)
    const numbers: Record<Field, number> = {
      zoom: Math.exp(random.normal(0, 0.025 * strength)),
      x: random.normal(0, 0.01 * strength),
      y: random.normal(0, 0.01 * strength),
      gain: random.uniform(1 - 0.12 * strength, 1 + 0.12 * strength),
      offset: random.uniform(-0.04 * strength, 0.04 * strength),
      grey: random.uniform() < 0.05 * strength ? 1 : 0,
      red: tint(),
      green: tint(),
      blue: tint(),
      blur: random.uniform() < 0.15 * strength ? random.uniform() : 0,
    }
    for (const [k, field] of FIELDS.entries()) values[i * FIELDS.length + k] = numbers[field]
  }
  return tf.tensor2d(values, [count, FIELDS.length])
}

/** Pictures around whose middle all is enlarged and moved, under other colours; pixels that come from outside repeat the border.
 *
 * @param images - `[B, S, S, 3]`, or with further channels that are moved but not coloured: `masks`
 * @param points - `[B, N, 3]` pixels and depths, which move with them
 */
export function changedPictures(images: tf.Tensor4D, points: tf.Tensor3D, draws: tf.Tensor2D) {
  const [, size] = images.shape
  const draw = (name: Field, count = 1) => tf.slice(draws, [0, FIELDS.indexOf(name)], [-1, count])
  const zoom = draw('zoom')
  const shift = tf.mul(draw('x', 2), size)
  // seen = zoom (point - middle) + middle + shift, backwards for the pixels, which count from 0 at their centres.
  const middle = (size - 1) / 2
  const step = tf.div(1, zoom)
  const zero = tf.zerosLike(zoom)
  const [left, top] = tf.split(tf.sub(middle, tf.mul(tf.add(shift, middle), step)), 2, 1)
  const maps = tf.concat([step, zero, left, zero, step, top, zero, zero], 1) as tf.Tensor2D
  const moved = tf.image.transform(images, maps, 'bilinear', 'nearest', 0, [size, size])
  const by = tf.concat([tf.add(tf.mul(tf.sub(1, zoom), size / 2), shift), zero], 1)
  const channels = (from: number, count: number) =>
    tf.slice(moved, [0, 0, 0, from], [-1, -1, -1, count]) as tf.Tensor4D
  return {
    images: recolored(channels(0, 3), draw),
    ...(moved.shape[3] > 3 && { masks: channels(3, moved.shape[3] - 3) }),
    points: tf.add(tf.mul(points, tf.expandDims(zoom, 1)), tf.expandDims(by, 1)) as tf.Tensor3D,
  }
}

function recolored(images: tf.Tensor4D, draw: (name: Field, count?: number) => tf.Tensor): tf.Tensor4D {
  const number = (name: Field, count = 1) => tf.reshape(draw(name, count), [-1, 1, 1, count])
  const mix = (a: tf.Tensor, b: tf.Tensor, share: tf.Tensor) => tf.add(a, tf.mul(share, tf.sub(b, a)))
  let x: tf.Tensor = mix(images, tf.avgPool(images, 3, 1, 'same'), number('blur'))
  x = mix(x, tf.sum(tf.mul(x, GREY), 3, true), number('grey'))
  x = tf.mul(tf.sub(tf.mul(x, number('red', 3)), 0.5), number('gain'))
  return tf.clipByValue(tf.add(x, tf.add(number('offset'), 0.5)), 0, 1) as tf.Tensor4D
}
