import * as tf from '@tensorflow/tfjs-core'
import ndarray, { type NdArray } from 'ndarray'
import { assertInteger, assertShape } from '@facekit/core'
import { fivePoints, fivePointTemplate } from '../landmarks/five-points.js'
import { meanLandmarks } from '../landmarks/mean-landmarks.js'
import { assertPicture, type Picture } from './picture.js'
import { resample, type Raster } from './resample.js'
import { estimateSimilarity, type Points, type SimilarityTransform } from './similarity-transform.js'

/** Options of `alignFace`. */
export interface AlignFaceOptions {
  /** Width and height of the crop in pixels. Default 224. */
  size?: number
}

/** A face cut out of a picture, upright and of a standard size, as plain data. */
export interface FaceCrop {
  /** Pixels of the crop, S x S. */
  size: number
  /** Pixels of the picture to pixels of the crop. */
  transform: SimilarityTransform
  /** `[S, S, 3]` encoded sRGB, 0..1; outside of the picture its border pixels are repeated. */
  image: NdArray<Float32Array>
  /** `[S, S]` share of each pixel that lies inside of the picture, 0..1. */
  inside: NdArray<Float32Array>
}

/** The similarity that takes 68 landmarks, or five points, of a picture to the crop.
 *
 * Least squares over five points (eye centres, nose tip, mouth corners) against the places they have in the crop when the
 * mean face looks straight into the default camera. The vertical distances keep the scale right for a turned head, whose
 * eyes are close together. Should the five points nearly coincide although the face does not (damaged landmarks), all 68
 * points are fitted to their mean places instead.
 *
 * @param landmarks - `[68, 2]`, or `[5, 2]`: eye centres, nose tip, mouth corners; pixels of the picture
 * @throws {ShapeError} when the shape differs
 * @throws {ValueError} when the landmarks are not finite or all coincide, or `size` is not from 8 to 4096
 */
export function alignmentTransform(landmarks: Points, size = 224): SimilarityTransform {
  const few = landmarks.shape[0] === 5
  assertShape('alignFace: landmarks', landmarks, [few ? 5 : 68, 2])
  assertInteger('alignFace: size', size, 8, 4096)
  const points = few ? landmarks : fivePoints(landmarks)
  const collapsed = !few && spread(points) < 0.35 * spread(landmarks)
  const { scale, rotation, translation } = collapsed
    ? estimateSimilarity(landmarks, meanLandmarks())
    : estimateSimilarity(points, fivePointTemplate())
  const factor = size / 224
  return {
    scale: scale * factor,
    rotation,
    translation: [translation[0] * factor, translation[1] * factor],
  }
}

/** Cuts a face out of a picture by `alignmentTransform`, as plain data: no tensor is made.
 *
 * @throws {ShapeError | ValueError} as `alignFace`
 */
export function cropFace(picture: Picture, landmarks: Points, options: AlignFaceOptions = {}): FaceCrop {
  assertPicture('alignFace: image', picture)
  const [height, width] = picture.shape
  const raster = { data: picture.data, height, width, channels: 3 }
  return cropRaster(raster, 255, landmarks, options.size ?? 224)
}

/** Cuts a face out of a picture, upright and of a standard size, by a similarity from its landmarks or five points.
 *
 * The picture is averaged where the crop is coarser, so that nothing aliases, and interpolated where it is finer. Outside of
 * the picture its border pixels are repeated. `pasteBack` puts a crop back in its place.
 *
 * @param image - a picture, or a tensor `[H, W, 3]` of encoded colours in 0..1
 * @param landmarks - `[68, 2]`, or `[5, 2]` (eye centres, nose tip, mouth corners, the subject's right first), pixels of `image`, pixel
 *   centres at +0.5
 * @returns `image`: `[S, S, 3]` encoded, 0..1; `transform`: pixels of the picture to pixels of the crop
 * @differentiable no
 * @memory the caller owns `image`. Tensors are read with `dataSync`: for a picture on a GPU pass a
 * `Picture`.
 * @throws {ShapeError} when a shape differs
 * @throws {ValueError} when the landmarks are not finite or coincide, or `size` is absurd
 * @example
 * const { image, transform } = alignFace(picture, landmarks, { size: 224 })
 * applyTransform(transform, landmarks) // the landmarks in the crop
 */
export function alignFace(
  image: Picture | tf.Tensor3D,
  landmarks: Points | tf.Tensor2D,
  options: AlignFaceOptions = {},
): { image: tf.Tensor3D; transform: SimilarityTransform } {
  const points = isTensor(landmarks) ? readPoints(landmarks) : landmarks
  if (!isTensor(image)) {
    const crop = cropFace(image, points, options)
    return { image: toTensor(crop), transform: crop.transform }
  }
  const { H, W } = assertShape('alignFace: image', image, ['H', 'W', 3])
  const raster = { data: image.dataSync(), height: H, width: W, channels: 3 }
  const crop = cropRaster(raster, 1, points, options.size ?? 224)
  return { image: toTensor(crop), transform: crop.transform }
}

function cropRaster(raster: Raster, range: number, landmarks: Points, size: number): FaceCrop {
  const transform = alignmentTransform(landmarks, size)
  const { data, inside } = resample(raster, transform, { x: 0, y: 0, width: size, height: size })
  for (let i = 0; i < data.length; i++) data[i] /= range
  return {
    size,
    transform,
    image: ndarray(data, [size, size, 3]),
    inside: ndarray(inside, [size, size]),
  }
}

const isTensor = <T extends tf.Tensor>(value: T | NdArray): value is T => value instanceof tf.Tensor

const toTensor = ({ image, size }: FaceCrop) =>
  tf.tensor3d(image.data as Float32Array, [size, size, 3], 'float32')

function readPoints(landmarks: tf.Tensor2D): Points {
  const { L } = assertShape('alignFace: landmarks', landmarks, ['L', 2])
  return ndarray(Float32Array.from(landmarks.dataSync()), [L, 2])
}

/** Root mean square distance of points from their mean. */
function spread(points: Points): number {
  const count = points.shape[0]
  let x = 0
  let y = 0
  let square = 0
  for (let i = 0; i < count; i++) {
    x += points.get(i, 0) / count
    y += points.get(i, 1) / count
  }
  for (let i = 0; i < count; i++) square += (points.get(i, 0) - x) ** 2 + (points.get(i, 1) - y) ** 2
  return Math.sqrt(square / count)
}
