import { mirroredLandmarks, type FaceAnnotation, type Picture, type Points } from '@facekit/annotate'
import ndarray from 'ndarray'

/** A photograph, where its face is, and how it is cut out. */
export interface PlacedFace extends Pick<FaceAnnotation, 'box' | 'alignment'> {
  picture: Picture
}

/** The same face in a mirror; the crop's pixels stay those of the other side. */
export function mirroredFace({ picture, box, alignment }: PlacedFace): PlacedFace {
  const { size, transform, landmarks } = alignment
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
    alignment: {
      ...alignment,
      landmarks: mirroredPoints(landmarks, size),
      transform: {
        scale,
        rotation: -rotation,
        translation: [size - tx - cos * width, ty + sin * width],
      },
    },
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
