import * as tf from '@tensorflow/tfjs-core'
import { assertInteger, createRandom, restoreRandom, ValueError, type RandomState } from '@facekit/core'
import { augmentLandmarks, type AugmentLandmarksOptions } from './landmark-augmentation.js'
import type { LandmarkSample } from './landmark-dataset.js'
import { landmarkCount, landmarksView } from './landmark-view.js'
import { resample } from './resample.js'
import { applyTransform } from './similarity-transform.js'

/** Options of `createLandmarkBatches`. */
export interface LandmarkBatchesOptions extends AugmentLandmarksOptions {
  /** Pictures of a batch. Default 32. */
  batch?: number
  /** Of all that is random. Default 1. */
  seed?: number
  /** Bytes of cut out faces that are kept, so that their pictures need not be decoded again. Default 2 GiB. */
  cacheBytes?: number
}

/** Batches for training: `[B, S, S, 3]` pictures and `[B, 68, 2]` landmarks in them. Fits `runTraining` of @facekit/trainer. */
export interface LandmarkBatches {
  /** The caller owns the tensors. */
  next(): Promise<[images: tf.Tensor4D, points: tf.Tensor3D]>
  /** Where the random numbers are, as plain JSON. */
  state(): RandomState
  restore(state: unknown): void
}

interface Crop {
  pixels: Uint8Array
  points: Float32Array
}

/** Makes endless batches of faces out of samples, each face drawn at random and altered at random by `augmentLandmarks`.
 *
 * Faces are cut out once, with a margin, and kept as bytes; what moves and colours them runs on the backend.
 *
 * @param samples - as `openLandmarks` gives them
 * @throws {ValueError} when there is no sample, or an option is out of range
 * @example
 * const batches = createLandmarkBatches(await openLandmarks('300W_LP'), { batch: 32 })
 * const [images, points] = await batches.next()
 */
export function createLandmarkBatches(
  samples: readonly LandmarkSample[],
  options: LandmarkBatchesOptions = {},
): LandmarkBatches {
  const { batch = 32, seed = 1, inputSize = 128, scale = [1.2, 1.7], cacheBytes = 2 ** 31 } = options
  assertInteger('createLandmarkBatches: batch', batch, 1)
  if (samples.length === 0) throw new ValueError('createLandmarkBatches: no samples; see openLandmarks')
  let random = createRandom(seed)
  // As fine as the result where it shows most of the face, and with room to turn.
  const margin = 1.25 * scale[1]
  const size = 8 * Math.ceil((inputSize * margin) / ((scale[0] + scale[1]) / 2) / 8)
  const bytes = size * size * 3
  const cache = new Map<LandmarkSample, Crop>()
  const crop = async (sample: LandmarkSample): Promise<Crop> => {
    const known = cache.get(sample)
    if (known) return known
    const cut = await cutOut(sample, size, margin)
    if ((cache.size + 1) * bytes <= cacheBytes) cache.set(sample, cut)
    return cut
  }
  return {
    async next() {
      const chosen = Array.from({ length: batch }, () => samples[random.integer(samples.length)])
      const pixels = new Int32Array(batch * bytes)
      const places = new Float32Array(batch * 2 * landmarkCount)
      for (const [i, cut] of (await Promise.all(chosen.map(crop))).entries()) {
        pixels.set(cut.pixels, i * bytes)
        places.set(cut.points, i * 2 * landmarkCount)
      }
      return tf.tidy(() => {
        const uploaded = tf.tensor4d(pixels, [batch, size, size, 3], 'int32')
        const images = tf.div(tf.cast(uploaded, 'float32'), 255) as tf.Tensor4D
        const points = tf.tensor3d(places, [batch, landmarkCount, 2])
        const altered = augmentLandmarks(images, points, random, options)
        return [altered.images, altered.points] as [tf.Tensor4D, tf.Tensor3D]
      })
    },
    state: () => random.state(),
    restore: (state) => {
      random = restoreRandom(state as RandomState)
    },
  }
}

/** The face with a margin, level, as bytes. */
async function cutOut(sample: LandmarkSample, size: number, margin: number): Promise<Crop> {
  const picture = await sample.read()
  const [height, width] = picture.shape
  const view = landmarksView(sample.landmarks)
  const scale = size / (margin * view.size)
  const [c, s] = [scale * Math.cos(view.angle), scale * Math.sin(view.angle)]
  const translation: [number, number] = [
    size / 2 - (c * view.x + s * view.y),
    size / 2 - (c * view.y - s * view.x),
  ]
  const transform = { scale, rotation: -view.angle, translation }
  const raster = { data: picture.data, height, width, channels: 3 }
  const { data } = resample(raster, transform, { x: 0, y: 0, width: size, height: size })
  const points = applyTransform(transform, sample.landmarks).data as Float32Array
  return { pixels: Uint8Array.from(data, (value) => Math.round(value)), points }
}
