import type { FaceAnnotation } from '@facekit/annotate'
import type { ParametersJson } from '@facekit/parameters'
import type { FitResult, MetricSize } from '@facekit/fit'
import type { MorphableModel } from '@facekit/morphable'
import type { Camera } from '@facekit/render'
import type { Method } from '../session.js'
import { version } from '../version.js'

/** Where a focal length comes from: nobody said it, the file's EXIF, the command line, the fit. */
export type FocalSource = 'default' | 'exif' | 'given' | 'estimate'

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
  /** `[68][2]` landmarks of the fitted face, pixels of the picture, the jaw on the outline that is seen: the convention of 300-W. */
  landmarks: number[][]
  /** `[68][3]` the same as fixed points of the mesh, hidden ones too (the convention of AFLW2000-3D): x and y in pixels of the picture, z towards the camera
   * in the same unit, relative to their mean. */
  landmarks3d: number[][]
  /** Unit vectors in which the subject's left and right eye look, camera space. */
  gaze?: { left: number[]; right: number[] }
  /** Real size, from an iris of 11.7 mm: see `MetricSize` of `@facekit/fit`. */
  metric?: MetricSize & { irisDiameter: 11.7 }
  /** Focal length, pixels of the picture, and where it comes from. */
  focalLength: { pixels: number; source: FocalSource }
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
    focalSource: FocalSource
  },
  model: MorphableModel,
  result: FitResult,
  numbers: ParametersJson,
): ParametersFile {
  const { annotation } = face
  const { landmarks3d, gaze, metric } = result.heads[0]
  const { size, transform } = annotation.alignment
  const cropFocal = size / 2 / Math.tan(result.camera.fieldOfView / 2)
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
    landmarks3d: rows(rounded(landmarks3d.data), 3),
    ...(gaze && { gaze: { left: rounded(gaze.left), right: rounded(gaze.right) } }),
    ...(metric && { metric: { ...metric, irisDiameter: 11.7 } }),
    focalLength: { pixels: cropFocal / transform.scale, source: face.focalSource },
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
