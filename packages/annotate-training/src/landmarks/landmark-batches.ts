import * as tf from '@tensorflow/tfjs-core'
import {
  assertInteger,
  createRandom,
  type RandomState,
  restoreRandom,
  showValue,
  ValueError,
} from '@facekit/core'
import { augmentLandmarks, type AugmentLandmarksOptions } from './landmark-augmentation.js'
import type { LandmarkSample } from './landmark-dataset.js'
import { applyTransform, landmarkCount, landmarksView, resample } from '@facekit/annotate'

/** Options of `createLandmarkBatches`. */
export interface LandmarkBatchesOptions extends AugmentLandmarksOptions {
  /** Pictures of a batch. Default 32. */
  batch?: number
  /** `'random'`: each picture is drawn; `'given'`: as the samples come, again and again. Default `'random'`. */
  order?: 'random' | 'given'
  /** Of all that is random. Default 1. */
  seed?: number
  /** Bytes of cut out faces that are kept, so that their pictures need not be decoded again. Default 2 GiB. */
  cacheBytes?: number
  /** Keeps all cut out faces as one tensor on the backend (4 bytes a pixel): on a GPU a batch then takes milliseconds. For sets that fit; the
   * first `next` cuts out all of them. Default false. */
  resident?: boolean
}

/** Batches for training: `[B, S, S, 3]` pictures and `[B, 68, 2]` landmarks in them. Fits `runTraining` of @facekit/trainer. */
export interface LandmarkBatches {
  /** The caller owns the tensors. */
  next(): Promise<[images: tf.Tensor4D, points: tf.Tensor3D]>
  /** Where the batches stand, as plain JSON. */
  state(): { position: number; random: RandomState }
  restore(state: unknown): void
  /** Frees what is kept on the backend. */
  dispose(): void
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
  const {
    batch = 32,
    seed = 1,
    inputSize = 128,
    scale = [1.2, 1.7],
    cacheBytes = 2 ** 31,
    order = 'random',
    resident = false,
  } = options
  assertInteger('createLandmarkBatches: batch', batch, 1)
  if (samples.length === 0) throw new ValueError('createLandmarkBatches: no samples; see openLandmarks')
  let random = createRandom(seed)
  let position = 0
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
  const choose = () => {
    const at = order === 'given' ? position % samples.length : random.integer(samples.length)
    position++
    return at
  }
  /** Pixels as one number each, red + 256 green + 65,536 blue: exact in float32, and a third of the memory. */
  const upload = async (chosen: readonly LandmarkSample[]) => {
    const pixels = new Float32Array(chosen.length * size * size)
    const places = new Float32Array(chosen.length * 2 * landmarkCount)
    for (const [i, sample] of chosen.entries()) {
      const cut = await crop(sample)
      for (let k = 0, at = i * size * size; k < size * size; k++, at++) {
        pixels[at] = cut.pixels[3 * k] + 256 * cut.pixels[3 * k + 1] + 65536 * cut.pixels[3 * k + 2]
      }
      places.set(cut.points, i * 2 * landmarkCount)
    }
    return {
      packed: tf.tensor2d(pixels, [chosen.length, size * size]),
      points: tf.tensor3d(places, [chosen.length, landmarkCount, 2]),
    }
  }
  let all: Awaited<ReturnType<typeof upload>> | undefined
  const gather = async (indices: number[]) => {
    if (!resident) return upload(indices.map((i) => samples[i]))
    if (all === undefined) {
      all = await upload(samples)
      cache.clear()
    }
    const { packed, points } = all
    return tf.tidy(() => {
      const index = tf.tensor1d(indices, 'int32')
      return { packed: tf.gather(packed, index), points: tf.gather(points, index) }
    })
  }
  return {
    async next() {
      const raw = await gather(Array.from({ length: batch }, choose))
      const altered = tf.tidy(() => {
        const images = unpack(raw.packed, size)
        return augmentLandmarks(images, raw.points, random, options)
      })
      tf.dispose([raw.packed, raw.points])
      return [altered.images, altered.points]
    },
    state: () => ({ position, random: random.state() }),
    restore(state) {
      const stored = state as { position?: number; random?: RandomState } | undefined
      if (!Number.isInteger(stored?.position) || !stored?.random) {
        throw new ValueError(`LandmarkBatches.restore: ${showValue(state)} is no state of these batches`)
      }
      position = stored.position!
      random = restoreRandom(stored.random)
    },
    dispose() {
      if (all) tf.dispose([all.packed, all.points])
      all = undefined
    },
  }
}

/** `[B, S, S, 3]`, 0..1, of pixels that are one number each. */
function unpack(packed: tf.Tensor2D, size: number): tf.Tensor4D {
  const blue = tf.floor(tf.mul(packed, 1 / 65536))
  const rest = tf.sub(packed, tf.mul(blue, 65536))
  const green = tf.floor(tf.mul(rest, 1 / 256))
  const red = tf.sub(rest, tf.mul(green, 256))
  const colors = tf.stack([red, green, blue], 2)
  return tf.reshape(tf.mul(colors, 1 / 255), [-1, size, size, 3])
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
