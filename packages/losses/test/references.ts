import * as tf from '@tensorflow/tfjs-core'
import { createRandom } from '@facekit/core'

/** A tensor and its numbers. */
export interface Sample<T extends tf.Tensor = tf.Tensor> {
  values: Float32Array
  tensor: T
}

/** Uniform random numbers. */
export function sample<T extends tf.Tensor>(seed: number, shape: number[], low = 0, high = 1): Sample<T> {
  const random = createRandom(seed)
  const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.uniform(low, high))
  return { values, tensor: tf.tensor(values, shape) as T }
}

/** A labelled picture and a rendered face of 2 x 6 x 5 pixels, made of random numbers. */
export function samplePictures(seed = 1) {
  // Most pixels are covered wholly, the others in part.
  const cover = sample(seed + 3, [2, 6, 5, 1]).values.map((value) => (value > 0.3 ? 1 : value))
  return {
    inputImage: sample<tf.Tensor4D>(seed, [2, 6, 5, 3]),
    diffuse: sample<tf.Tensor4D>(seed + 1, [2, 6, 5, 3]),
    image: sample<tf.Tensor4D>(seed + 2, [2, 6, 5, 3]),
    mask: { values: cover, tensor: tf.tensor4d(cover, [2, 6, 5, 1]) },
    faceRegion: sample<tf.Tensor4D>(seed + 4, [2, 6, 5, 1]),
    skinProbability: sample<tf.Tensor4D>(seed + 5, [2, 6, 5, 1]),
  }
}

/** Equation 8 and 9 in float64, straight from the paper, without smoothing. */
export function photometricReference(samples: ReturnType<typeof samplePictures>, eta: number): number {
  const { inputImage, diffuse, image, mask, faceRegion, skinProbability } = samples
  const pixels = 30
  let total = 0
  for (let b = 0; b < 2; b++) {
    let [diffuseSum, skinSum, imageSum, regionSum] = [0, 0, 0, 0]
    for (let i = b * pixels; i < (b + 1) * pixels; i++) {
      const p = skinProbability.values[i]
      const m = mask.values[i] === 1 ? faceRegion.values[i] : 0
      const skin = p > 0.5 ? 1 : p
      const norm = (a: Float32Array) =>
        Math.hypot(...[0, 1, 2].map((c) => a[i * 3 + c] - inputImage.values[i * 3 + c]))
      diffuseSum += m * skin * norm(diffuse.values)
      skinSum += m * skin
      imageSum += m * norm(image.values)
      regionSum += m
    }
    total += diffuseSum / skinSum + (eta * imageSum) / regionSum
  }
  return total / 2
}
