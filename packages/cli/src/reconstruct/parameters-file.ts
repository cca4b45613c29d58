import type { FaceAnnotation } from '@facekit/annotate'
import type { ParametersJson } from '@facekit/parameters'
import type { FitResult } from '@facekit/fit'
import type { MorphableModel } from '@facekit/morphable'
import type { Camera } from '@facekit/render'
import type { Method } from '../session.js'
import { version } from '../version.js'

/** What parameters.json holds. */
export interface ParametersFile extends ParametersJson {
  /** Of this layout. */
  version: 1
  generator: string
  picture: { file: string; width: number; height: number }
  /** Number of the face in the picture, from 1. */
  face: number
  model: { name: string; license: string }
  /** Vertical field of view in radians, distance in mm; the camera looks at the crop. */
  camera: Camera
  /** Pixels of the picture to pixels of the crop: `p' = scale * R(rotation) * p + translation`. */
  crop: { size: number; transform: { scale: number; rotation: number; translation: [number, number] } }
  /** Where the face was found, pixels of the picture, and how sure the detector is. */
  box: { x: number; y: number; width: number; height: number }
  score: number
  /** `[68][2]` landmarks of the fitted face, pixels of the picture. */
  landmarks: number[][]
  /** `[68][2]` landmarks that were found in the picture, pixels. */
  annotatedLandmarks: number[][]
  metrics: FitResult['metrics']
  backend: string
  method: Method
}

/** Puts parameters.json together. */
export function parametersFile(
  face: {
    picture: ParametersFile['picture']
    face: number
    annotation: FaceAnnotation
    backend: string
    method: Method
  },
  model: MorphableModel,
  result: FitResult,
  numbers: ParametersJson,
): ParametersFile {
  const { annotation } = face
  return {
    version: 1,
    generator: `facekit ${version}`,
    picture: face.picture,
    face: face.face,
    model: { name: model.name, license: model.license },
    ...numbers,
    camera: result.camera,
    crop: { size: annotation.alignment.size, transform: annotation.alignment.transform },
    box: annotation.box,
    score: annotation.score,
    landmarks: rows(rounded(result.landmarks[0].data), 2),
    annotatedLandmarks: rows(rounded(annotation.landmarks.data), 2),
    metrics: result.metrics,
    backend: face.backend,
    method: face.method,
  }
}

/** Digits as in `encodeParameters`. */
const rounded = (values: ArrayLike<number>) => Array.from(values, (value) => Number(value.toPrecision(8)))

function rows(values: number[], width: number): number[][] {
  return Array.from({ length: values.length / width }, (_, i) => values.slice(i * width, (i + 1) * width))
}
