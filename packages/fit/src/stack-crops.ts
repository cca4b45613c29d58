import { assertShape, ShapeError } from '@facekit/core'
import type { FaceAnnotation } from '@facekit/annotate'
import {
  avgPool,
  clone,
  mul,
  tensor2d,
  tensor3d,
  tensor4d,
  tidy,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
} from '@tensorflow/tfjs-core'
import type { NdArray } from 'ndarray'

/** The annotated crops of B photographs as tensors, in the order of the losses. */
export interface CropTensors {
  /** Side S of the crops. */
  size: number
  inputImage: Tensor4D
  faceRegion: Tensor4D
  skinProbability: Tensor4D
  innerMouth: Tensor4D
  landmarks: Tensor3D
  inputEmbedding: Tensor2D
}

/** Numbers of an array in row-major order, whatever its strides. */
export function denseNumbers(array: NdArray<Float32Array>): Float32Array {
  const size = array.shape.reduce((product, length) => product * length, 1)
  const strides = array.shape.map((_, i) =>
    array.shape.slice(i + 1).reduce((product, length) => product * length, 1),
  )
  const isDense = array.stride.every((stride, i) => stride === strides[i])
  if (isDense) return array.data.subarray(array.offset, array.offset + size)
  return Float32Array.from({ length: size }, (_, index) =>
    array.get(...strides.map((stride, i) => Math.floor(index / stride) % array.shape[i])),
  )
}

/** Stacks annotated crops along a batch dimension. The caller owns the tensors.
 *
 * @throws {ShapeError} when an annotation is incomplete or the crops differ in size
 */
export function stackCrops(annotations: readonly FaceAnnotation[]): CropTensors {
  const size = annotations[0]?.alignment?.size
  for (const [i, annotation] of annotations.entries()) {
    const who = `fitFace: annotation ${i}`
    if (annotation?.alignment === undefined)
      throw new ShapeError(`${who} has no alignment; use the result of annotate`)
    const known = { S: size }
    assertShape(`${who}: alignment.image`, annotation.alignment.image, ['S', 'S', 3], known)
    assertShape(`${who}: faceRegion`, annotation.faceRegion, ['S', 'S'], known)
    assertShape(`${who}: skinProbability`, annotation.skinProbability, ['S', 'S'], known)
    assertShape(`${who}: innerMouth`, annotation.innerMouth, ['S', 'S'], known)
    assertShape(`${who}: alignment.landmarks`, annotation.alignment.landmarks, [68, 2])
  }
  const batch = annotations.length
  const stack = (arrays: ArrayLike<number>[]) => {
    const stacked = new Float32Array(arrays.reduce((total, array) => total + array.length, 0))
    let offset = 0
    for (const array of arrays) {
      stacked.set(array, offset)
      offset += array.length
    }
    return stacked
  }
  const picture = (of: (annotation: FaceAnnotation) => NdArray<Float32Array>, channels: number) =>
    tensor4d(stack(annotations.map((annotation) => denseNumbers(of(annotation)))), [
      batch,
      size,
      size,
      channels,
    ])
  return {
    size,
    inputImage: picture((annotation) => annotation.alignment.image, 3),
    faceRegion: picture((annotation) => annotation.faceRegion, 1),
    skinProbability: picture((annotation) => annotation.skinProbability, 1),
    innerMouth: picture((annotation) => annotation.innerMouth, 1),
    landmarks: tensor3d(stack(annotations.map(({ alignment }) => denseNumbers(alignment.landmarks))), [
      batch,
      68,
      2,
    ]),
    inputEmbedding: tensor2d(stack(annotations.map(({ embedding }) => embedding)), [
      batch,
      annotations[0].embedding.length,
    ]),
  }
}

/** The same crops, halved as often as their side stays at least `least`: each pixel a mean of four. The caller owns the tensors. */
export function coarserCrops(crops: CropTensors, least: number): CropTensors {
  const { size, landmarks, inputEmbedding, ...pictures } = crops
  let factor = 1
  while (size % (2 * factor) === 0 && size / (2 * factor) >= least) factor *= 2
  const coarser = tidy(() => {
    const pool = (picture: Tensor4D) =>
      factor === 1 ? clone(picture) : avgPool(picture, factor, factor, 'valid')
    return {
      inputImage: pool(pictures.inputImage),
      faceRegion: pool(pictures.faceRegion),
      skinProbability: pool(pictures.skinProbability),
      innerMouth: pool(pictures.innerMouth),
      landmarks: mul(landmarks, 1 / factor) as Tensor3D,
      inputEmbedding: clone(inputEmbedding),
    }
  })
  return { size: size / factor, ...coarser }
}
