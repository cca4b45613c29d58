import { dispose, tensor4d, type Tensor1D, type Tensor2D, type Tensor4D } from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import { resample, type Raster } from '../pictures/resample.js'
import {
  applyTransform,
  invertTransform,
  type Points,
  type SimilarityTransform,
} from '../pictures/similarity-transform.js'
import { landmarkCount, type LandmarkView } from './landmark-view.js'
import { mirroredLandmarks } from './mirrored-landmarks.js'

/** The landmarks that a network sees in a view. */
export interface ViewLandmarks {
  /** `[68, 2]` pixels of the picture. */
  points: Points
  /** How sure the network is, 0..1, mean over the landmarks; 1 of a network that does not say. */
  score: number
}

/** The mean of landmarks from several views. */
export function meanLandmarksOf(views: readonly ViewLandmarks[]): ViewLandmarks {
  const mean = { points: ndarray(new Float32Array(2 * landmarkCount), [landmarkCount, 2]), score: 0 }
  for (const { points, score } of views) {
    mean.score += score / views.length
    for (let k = 0; k < 2 * landmarkCount; k++) {
      mean.points.data[k] += points.get(k >> 1, k & 1) / views.length
    }
  }
  return mean
}

/** A network that finds landmarks in square pictures. */
export interface ViewNetwork {
  /** Width and height of its pictures. */
  inputSize: number
  /** @param images - `[B, S, S, 3]` encoded, 0..255
   * @returns `points`: `[B, 136]` x, y of each landmark in widths of the picture; `scores`: `[B]`, of a network that has them; the caller
   *   owns them */
  predict(images: Tensor4D): { points: Tensor2D; scores?: Tensor1D }
}

/** The landmarks that the network sees in each view, all in one batch. */
export async function predictInViews(
  raster: Raster,
  network: ViewNetwork,
  views: readonly LandmarkView[],
): Promise<ViewLandmarks[]> {
  const size = network.inputSize
  const pixels = new Float32Array(views.length * size * size * 3)
  const transforms = views.map((view, i) => {
    const transform = viewTransform(view, size)
    const { data } = resample(raster, transform, { x: 0, y: 0, width: size, height: size })
    if (view.mirrored) mirror(data, size)
    pixels.set(data, i * size * size * 3)
    return invertTransform(transform)
  })
  const images = tensor4d(pixels, [views.length, size, size, 3])
  const output = network.predict(images)
  images.dispose()
  const [values, scores] = await Promise.all([output.points.data(), output.scores?.data()])
  dispose(output)
  return views.map((view, i) => {
    const points = ndarray(new Float32Array(2 * landmarkCount), [landmarkCount, 2])
    for (let k = 0; k < landmarkCount; k++) {
      const at = 2 * (i * landmarkCount + (view.mirrored ? mirroredLandmarks[k] : k))
      points.set(k, 0, size * (view.mirrored ? 1 - values[at] : values[at]))
      points.set(k, 1, size * values[at + 1])
    }
    return { points: applyTransform(transforms[i], points), score: scores?.[i] ?? 1 }
  })
}

/** Pixels of the picture to pixels of the network's input. */
export function viewTransform({ x, y, size, angle }: LandmarkView, inputSize: number): SimilarityTransform {
  const scale = inputSize / size
  const c = scale * Math.cos(angle)
  const s = scale * Math.sin(angle)
  const middle = inputSize / 2
  return { scale, rotation: -angle, translation: [middle - (c * x + s * y), middle - (c * y - s * x)] }
}

function mirror(data: Float32Array, size: number): void {
  for (let row = 0; row < size; row++) {
    for (let left = 0, right = size - 1; left < right; left++, right--) {
      for (let channel = 0; channel < 3; channel++) {
        const a = (row * size + left) * 3 + channel
        const b = (row * size + right) * 3 + channel
        ;[data[a], data[b]] = [data[b], data[a]]
      }
    }
  }
}
