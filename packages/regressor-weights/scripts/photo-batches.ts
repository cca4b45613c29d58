import { createRandom, restoreRandom, type RandomState } from '@facekit/core'
import type { BatchSource } from '@facekit/trainer'
import * as tf from '@tensorflow/tfjs-core'
import { mirrored, mirroredLandmarks, type PhotoSet } from './photo-pack.js'

/** Labelled photographs of a batch, as they go to the GPU: packed `[B, S, S]` and `[B, S/2, S/2]`, landmarks `[B, 68, 2]`, embeddings `[B, 128]`,
 * brightness and contrast `[B, 4]`. */
export type PhotoTensors = [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D, tf.Tensor2D, tf.Tensor2D]

/** Labelled photographs that can be drawn from, each also mirrored. */
export interface PhotoStore {
  size: number
  /** Numbers of photographs for training and of those held out; 2 i is photograph i, 2 i + 1 its mirror picture. */
  train: number[]
  heldOut: number[]
  gather(numbers: readonly number[], tones: readonly number[]): PhotoTensors
}

/** Mirrors all photographs, and embeds them by the identity network. */
export async function createPhotoStore(
  set: PhotoSet,
  embed: (images: tf.Tensor4D) => tf.Tensor2D,
  batch = 32,
): Promise<PhotoStore> {
  const { size, count } = set
  const half = size / 2
  const both = (values: Float32Array[], mirror: (values: Float32Array) => Float32Array) =>
    values.flatMap((value) => [value, mirror(value)])
  const pictures = both(set.pictures, (values) => mirrored(values, size))
  const masks = both(set.masks, (values) => mirrored(values, half))
  const landmarks = both(set.landmarks, (values) => mirroredLandmarks(values, size))
  const stack = (arrays: readonly Float32Array[], numbers: readonly number[]) => {
    const length = arrays[0].length
    const data = new Float32Array(numbers.length * length)
    for (const [i, number] of numbers.entries()) data.set(arrays[number], i * length)
    return data
  }
  const embeddings: Float32Array[] = []
  for (let first = 0; first < 2 * count; first += batch) {
    const numbers = Array.from({ length: Math.min(batch, 2 * count - first) }, (_, i) => first + i)
    const found = tf.tidy(() => {
      const images = tf.tensor3d(stack(pictures, numbers), [numbers.length, size, size])
      return embed(tf.mul(unpackBytes(images), 1 / 255) as tf.Tensor4D)
    })
    const values = (await found.data()) as Float32Array
    for (const i of numbers.keys()) embeddings.push(values.slice(128 * i, 128 * (i + 1)))
    found.dispose()
  }
  const numbers = (heldOut: boolean) =>
    Array.from({ length: count }, (_, i) => i)
      .filter((i) => set.heldOut[i] === heldOut)
      .flatMap((i) => (heldOut ? [2 * i] : [2 * i, 2 * i + 1]))
  return {
    size,
    train: numbers(false),
    heldOut: numbers(true),
    gather: (numbers, tones) => {
      const B = numbers.length
      return [
        tf.tensor3d(stack(pictures, numbers), [B, size, size]),
        tf.tensor3d(stack(masks, numbers), [B, half, half]),
        tf.tensor3d(stack(landmarks, numbers), [B, 68, 2]),
        tf.tensor2d(stack(embeddings, numbers), [B, 128]),
        tf.tensor2d([...tones], [B, 4]),
      ]
    },
  }
}

/** Random batches of photographs for training: every photograph once in each round, colours a little changed. */
export function photoBatches(store: PhotoStore, batch: number, seed: number): BatchSource<PhotoTensors> {
  let random = createRandom(seed)
  let order: number[] = []
  return {
    next: async () => {
      const numbers: number[] = []
      while (numbers.length < batch) {
        if (order.length === 0) order = random.shuffle(store.train)
        numbers.push(order.pop()!)
      }
      const tones = numbers.flatMap(() => [
        random.normal(0, 0.12),
        ...[0, 1, 2].map(() => random.normal(1, 0.04)),
      ])
      return store.gather(numbers, tones)
    },
    state: () => ({ random: random.state(), order }),
    restore: (state) => {
      const stored = state as { random: RandomState; order: number[] }
      random = restoreRandom(stored.random)
      order = [...stored.order]
    },
  }
}

/** `[B, H, W]` packed to `[B, H, W, 3]` 0..255. */
export function unpackBytes(packed: tf.Tensor3D): tf.Tensor4D {
  return tf.tidy(() => {
    const c = tf.floor(tf.mul(packed, 1 / 65536))
    const rest = tf.sub(packed, tf.mul(c, 65536))
    const b = tf.floor(tf.mul(rest, 1 / 256))
    return tf.stack([tf.sub(rest, tf.mul(b, 256)), b, c], 3) as tf.Tensor4D
  })
}

/** What the losses want of a batch. */
export function photoLabels([packed, packedMasks, landmarks, pictureEmbedding, tones]: PhotoTensors) {
  return tf.tidy(() => {
    const B = packed.shape[0]
    const size = packed.shape[1]
    const bytes = tf.mul(unpackBytes(packed), 1 / 255)
    const gamma = tf.reshape(tf.exp(tf.slice(tones, [0, 0], [B, 1])), [B, 1, 1, 1])
    const gain = tf.reshape(tf.slice(tones, [0, 1], [B, 3]), [B, 1, 1, 3])
    const toned = tf.clipByValue(tf.mul(tf.pow(tf.maximum(bytes, 1e-4), gamma), gain), 0, 1)
    const masks = tf.image.resizeBilinear(
      tf.mul(unpackBytes(packedMasks), 1 / 255) as tf.Tensor4D,
      [size, size],
      false,
      true,
    )
    const [faceRegion, innerMouth, skinProbability] = tf.split(masks, 3, 3) as tf.Tensor4D[]
    return {
      picture: toned as tf.Tensor4D,
      faceRegion,
      innerMouth,
      skinProbability,
      landmarks,
      pictureEmbedding,
    }
  })
}
