import {
  applyTransform,
  findDenseLandmarks,
  mirroredLandmarks,
  type Box,
  type DenseLandmarks,
  type Picture,
  type Points,
  type SimilarityTransform,
} from '@facekit/annotate'
import { fitDenseLandmarks, type LandmarkFit } from '@facekit/fit'
import type { MorphableModel } from '@facekit/morphable'
import ndarray from 'ndarray'

/** A face in its photograph. */
export interface SeenFace {
  picture: Picture
  /** Pixels of the picture. */
  box: Box
  /** Pixels of the picture to pixels of the crop. */
  transform: SimilarityTransform
  /** `[68, 2]` pixels of the crop. */
  landmarks: Points
}

/** Fits a face model to dense landmarks of a photograph, in pixels of the crop. */
export async function labelPhotograph(
  { picture, box, transform, landmarks }: SeenFace,
  model: MorphableModel,
  size: number,
): Promise<LandmarkFit> {
  const dense = await findDenseLandmarks(picture, box)
  const scaled = (values: Float32Array) => values.map((value) => value * transform.scale)
  const inCrop: DenseLandmarks = {
    ...dense,
    positions: applyTransform(transform, dense.positions),
    deviations: scaled(dense.deviations),
    depths: scaled(dense.depths),
    depthDeviations: scaled(dense.depthDeviations),
  }
  return fitDenseLandmarks(inCrop, model, { width: size, height: size, landmarks })
}

/** The same face in a mirror: crops that are mirrored, too. */
export function mirrored({ picture, box, transform, landmarks }: SeenFace, size: number): SeenFace {
  const [height, width, channels] = picture.shape
  const data = new Uint8Array(height * width * channels)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++)
        data[(y * width + x) * channels + c] = picture.get(y, width - 1 - x, c) as number
    }
  }
  const { scale, rotation, translation } = transform
  // x' of the mirrored crop is size - x, x of the mirrored picture width - x'.
  const [tx, ty] = translation
  const [cos, sin] = [scale * Math.cos(rotation), scale * Math.sin(rotation)]
  return {
    picture: ndarray(data, [height, width, channels]),
    box: { ...box, x: width - box.x - box.width },
    transform: { scale, rotation: -rotation, translation: [size - tx - cos * width, ty + sin * width] },
    landmarks: mirroredPoints(landmarks, size),
  }
}

function mirroredPoints(landmarks: Points, size: number): Points {
  const values = new Float32Array(2 * mirroredLandmarks.length)
  for (const [i, source] of mirroredLandmarks.entries()) {
    values[2 * i] = size - landmarks.get(source, 0)
    values[2 * i + 1] = landmarks.get(source, 1)
  }
  return ndarray(values, [mirroredLandmarks.length, 2])
}
