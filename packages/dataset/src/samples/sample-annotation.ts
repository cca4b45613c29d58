import { applyTransform, invertTransform, type FaceAnnotation, type Picture } from '@facekit/annotate'
import ndarray, { type NdArray } from 'ndarray'
import { assertShape, ValueError } from '@facekit/core'
import type { FaceSample, SampleSource } from './face-sample.js'

/** Makes a sample of what `annotate` says about a face.
 *
 * @param annotation - not changed; the sample shares its masks
 * @throws {ShapeError} when the crop or a mask has another size than the alignment says
 */
export function sampleFromAnnotation(
  annotation: FaceAnnotation,
  about: { key: string; identity?: string; source?: SampleSource },
): FaceSample {
  const { box, score, alignment, faceRegion, innerMouth, skinProbability, embedding } = annotation
  const { size, transform, image, landmarks } = alignment
  assertShape('sampleFromAnnotation: image', image, [size, size, 3])
  for (const mask of [faceRegion, innerMouth, skinProbability]) {
    assertShape('sampleFromAnnotation: mask', mask, [size, size])
  }
  return {
    ...about,
    image: toBytes(image),
    annotation: { box, score, transform, landmarks, faceRegion, innerMouth, skinProbability, embedding },
  }
}

/** What `annotate` said about a sample's face, in pixels of the original picture again.
 *
 * @throws {ValueError} when the sample's transform is degenerate
 */
export function annotationOfSample({ image, annotation }: FaceSample): FaceAnnotation {
  const { box, score, transform, landmarks, faceRegion, innerMouth, skinProbability, embedding } = annotation
  if (!(transform.scale > 0)) {
    throw new ValueError(
      `annotationOfSample: scale is ${transform.scale}, expected a number greater than 0; label the picture again`,
    )
  }
  const size = image.shape[0]
  const values = Float32Array.from(image.data, (byte) => byte / 255)
  return {
    box,
    score,
    landmarks: applyTransform(invertTransform(transform), landmarks),
    alignment: { size, transform, image: ndarray(values, [size, size, 3]), landmarks },
    faceRegion,
    innerMouth,
    skinProbability,
    embedding,
  }
}

function toBytes(image: NdArray<Float32Array>): Picture {
  const bytes = Uint8Array.from(image.data, (value) => Math.round(Math.min(1, Math.max(0, value)) * 255))
  return ndarray(bytes, [...image.shape])
}
