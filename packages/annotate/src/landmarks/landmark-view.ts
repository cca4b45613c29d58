import { tensor4d, type Tensor2D, type Tensor4D } from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import type { Box } from '../detect/detector-network.js'
import { mirroredLandmarks } from './mirrored-landmarks.js'
import { resample, type Raster } from '../pictures/resample.js'
import {
  applyTransform,
  invertTransform,
  type Points,
  type SimilarityTransform,
} from '../pictures/similarity-transform.js'

/** Number of landmarks. */
export const landmarkCount = 68

/** A square of a picture, perhaps turned, that the network looks at. */
export interface LandmarkView {
  /** Centre in pixels of the picture. */
  x: number
  y: number
  /** Side in pixels of the picture. */
  size: number
  /** Radians; the direction of the view's rows in the picture. */
  angle: number
  /** Whether it is looked at in a mirror. */
  mirrored: boolean
}

/** The square around a box. */
export function boxView({ x, y, width, height }: Box): LandmarkView {
  return { x: x + width / 2, y: y + height / 2, size: Math.max(width, height), angle: 0, mirrored: false }
}

/** The smallest square around landmarks that has the line through the eyes' centres level. */
export function landmarksView(points: Points): LandmarkView {
  const center = (first: number, axis: number) => {
    let sum = 0
    for (let k = first; k < first + 6; k++) sum += points.get(k, axis)
    return sum / 6
  }
  const angle = Math.atan2(center(42, 1) - center(36, 1), center(42, 0) - center(36, 0))
  const c = Math.cos(angle)
  const s = Math.sin(angle)
  const bounds = [Infinity, Infinity, -Infinity, -Infinity]
  for (let k = 0; k < landmarkCount; k++) {
    const along = c * points.get(k, 0) + s * points.get(k, 1)
    const across = c * points.get(k, 1) - s * points.get(k, 0)
    bounds[0] = Math.min(bounds[0], along)
    bounds[1] = Math.min(bounds[1], across)
    bounds[2] = Math.max(bounds[2], along)
    bounds[3] = Math.max(bounds[3], across)
  }
  const along = (bounds[0] + bounds[2]) / 2
  const across = (bounds[1] + bounds[3]) / 2
  return {
    x: c * along - s * across,
    y: s * along + c * across,
    size: Math.max(bounds[2] - bounds[0], bounds[3] - bounds[1]),
    angle,
    mirrored: false,
  }
}

/** The mean of several looks. */
export function meanPoints(looks: readonly Points[]): Points {
  const sum = ndarray(new Float32Array(2 * landmarkCount), [landmarkCount, 2])
  for (const points of looks) {
    for (let k = 0; k < 2 * landmarkCount; k++) sum.data[k] += points.get(k >> 1, k & 1) / looks.length
  }
  return sum
}

/** A network that finds landmarks in square pictures. */
export interface ViewNetwork {
  /** Width and height of its pictures. */
  inputSize: number
  /** @param images - `[B, S, S, 3]` encoded, 0..255
   * @returns `[B, 136]` x, y of each landmark in widths of the picture; the caller owns it */
  predict(images: Tensor4D): Tensor2D
}

/** The landmarks that the network sees in each view, all in one batch.
 *
 * @returns `[68, 2]` in pixels of the picture for each view
 */
export async function predictInViews(
  raster: Raster,
  network: ViewNetwork,
  views: readonly LandmarkView[],
): Promise<Points[]> {
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
  const values = await output.data()
  output.dispose()
  return views.map((view, i) => {
    const points = ndarray(new Float32Array(2 * landmarkCount), [landmarkCount, 2])
    for (let k = 0; k < landmarkCount; k++) {
      const at = 2 * (i * landmarkCount + (view.mirrored ? mirroredLandmarks[k] : k))
      points.set(k, 0, size * (view.mirrored ? 1 - values[at] : values[at]))
      points.set(k, 1, size * values[at + 1])
    }
    return applyTransform(transforms[i], points)
  })
}

/** Pixels of the picture to pixels of the network's input. */
function viewTransform({ x, y, size, angle }: LandmarkView, inputSize: number): SimilarityTransform {
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
