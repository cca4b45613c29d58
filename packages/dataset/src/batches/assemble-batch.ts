import * as tf from '@tensorflow/tfjs-core'
import { augmentColors, warpBatch } from './augment-batch.js'
import { augmentationMatrix, moveLandmarks, noAugmentation, type Augmentation } from './augmentation.js'
import type { BatchSample } from './batch-sample.js'
import { pictureTensor, type DeviceSample } from './device-store.js'

/** A batch of labelled faces: pictures `[B, S, S, 3]` encoded 0..1, face region, skin probability and inner mouth `[B, S, S, 1]` 0..1,
 * landmarks `[B, 68, 2]` pixels of the pictures, identity features `[B, D]`. */
export type FaceBatch = [
  images: tf.Tensor4D,
  faceRegion: tf.Tensor4D,
  skinProbability: tf.Tensor4D,
  innerMouth: tf.Tensor4D,
  landmarks: tf.Tensor3D,
  embedding: tf.Tensor2D,
]

/** A sample, and how it is to be changed. */
export interface LoadedSample {
  sample: BatchSample | DeviceSample
  change: Augmentation
}

/** Makes the tensors of a batch on the current backend; the caller owns them. */
export function assembleBatch(samples: readonly LoadedSample[], size: number): FaceBatch {
  return tf.tidy(() => {
    const matrices = samples.map(({ sample, change }) => augmentationMatrix(change, sample.size, size))
    const changes = samples.map(({ change }) => change)
    const images = warpSamples(samples, matrices, size, 'image')
    const masks = warpSamples(samples, matrices, size, 'masks')
    const colored = changes.every((change) => change === noAugmentation)
      ? images
      : augmentColors(images, changes)
    const [faceRegion, innerMouth, skin] = tf.split(masks, 3, 3)
    const points = samples.map(({ sample, change }, i) =>
      moveLandmarks(sample.landmarks, matrices[i], change.flip),
    )
    const width = samples.reduce((most, { sample }) => Math.max(most, sample.embedding.length), 1)
    const features = new Float32Array(samples.length * width)
    samples.forEach(({ sample }, i) => features.set(sample.embedding, i * width))
    return [
      colored,
      faceRegion,
      skin,
      innerMouth,
      tf.tensor3d(concat(points), [samples.length, 68, 2]),
      tf.tensor2d(features, [samples.length, width]),
    ] as FaceBatch
  })
}

/** Pictures of the samples, moved; those that have another size than the first by themselves. */
function warpSamples(
  samples: readonly LoadedSample[],
  matrices: readonly (readonly number[])[],
  size: number,
  part: 'image' | 'masks',
): tf.Tensor4D {
  const border = part === 'image' ? 'repeat' : 'zero'
  const warp = (group: readonly LoadedSample[], moves: readonly (readonly number[])[]) => {
    const from = group[0].sample.size
    const pictures = stackPictures(
      group.map(({ sample }) => sample),
      part,
    )
    const same = from === size && moves.every(isIdentity)
    return same ? pictures : warpBatch(pictures, moves, size, border)
  }
  const alike = samples.every(({ sample }) => sample.size === samples[0].sample.size)
  if (alike) return warp(samples, matrices)
  return tf.concat(samples.map((sample, i) => warp([sample], [matrices[i]])))
}

function stackPictures(
  samples: readonly (BatchSample | DeviceSample)[],
  part: 'image' | 'masks',
): tf.Tensor4D {
  const { size } = samples[0]
  if (samples.some((sample) => 'tensors' in sample)) {
    return tf.stack(
      samples.map((sample) =>
        'tensors' in sample ? sample.tensors[part] : pictureTensor(sample[part], size),
      ),
    ) as tf.Tensor4D
  }
  // One upload is quicker than many.
  const values = new Float32Array(samples.length * size * size * 3)
  let at = 0
  for (const sample of samples as readonly BatchSample[]) {
    const bytes = sample[part]
    for (let i = 0; i < bytes.length; i++) values[at++] = bytes[i] / 255
  }
  return tf.tensor4d(values, [samples.length, size, size, 3])
}

const isIdentity = (matrix: readonly number[]) => matrix.every((value, i) => value === (i % 4 === 0 ? 1 : 0))

function concat(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
