import type { FaceAnnotation } from '@facekit/annotate'
import type { FitResult, MetricSize } from '@facekit/fit'
import type { MorphableModel } from '@facekit/morphable'
import type { ParametersJson } from '@facekit/parameters'
import type { Camera } from '@facekit/render'
import type { Method } from '../options.js'
import type { Photo } from './read-photo.js'

/** All numbers of a reconstructed face, as JSON holds them: the layout of parameters.json, which the command `facekit` writes. */
export interface FaceDocument extends ParametersJson {
  /** Of this layout. */
  version: 1
  generator: string
  picture: { file: string; width: number; height: number }
  /** Number of the face in the photograph, from 1. */
  face: number
  model: { name: string; license: string }
  /** Vertical field of view in radians, distance in mm; the camera looks at the crop. */
  camera: Camera
  /** Pixels of the photograph to pixels of the crop: `p' = scale * R(rotation) * p + translation`. */
  crop: { size: number; transform: { scale: number; rotation: number; translation: [number, number] } }
  /** Where the face was found, pixels of the photograph, and how sure the detector is. */
  box: { x: number; y: number; width: number; height: number }
  score: number
  /** `[68][2]` landmarks of the fitted face, pixels of the photograph, the jaw on the outline that is seen. */
  landmarks: number[][]
  /** `[68][3]` the same as fixed points of the mesh, z towards the camera in the same unit, relative to their mean. */
  landmarks3d: number[][]
  /** Unit vectors in which the subject's left and right eye look, camera space. */
  gaze?: { left: number[]; right: number[] }
  /** Real size, from an iris of 11.7 mm. */
  metric?: MetricSize & { irisDiameter: 11.7 }
  /** Pixels of the photograph, and where it comes from. */
  focalLength: { pixels: number; source: 'default' | 'exif' }
  /** `[68][2]` landmarks that were found in the photograph, pixels. */
  annotatedLandmarks: number[][]
  metrics: FitResult['metrics']
  backend: string
  method: Method
}

/** Puts the numbers of a face together; those of the picture become those of the photograph, which may be larger. */
export function faceDocument(
  about: { photo: Photo; face: number; annotation: FaceAnnotation; backend: string; method: Method },
  model: MorphableModel,
  result: FitResult,
  numbers: ParametersJson,
): FaceDocument {
  const { photo, annotation, method } = about
  const { factor, file, width, height } = photo
  const { landmarks3d, gaze, metric } = result.heads[0]
  const { size, transform } = annotation.alignment
  const { x, y, width: w, height: h } = annotation.box
  const scale = transform.scale / factor
  const points = (values: ArrayLike<number>, columns: number) =>
    rows(rounded(Array.from(values, (value) => value * factor)), columns)
  return {
    version: 1,
    generator: 'facekit',
    picture: { file, width, height },
    face: about.face,
    model: { name: model.name, license: model.license },
    ...numbers,
    camera: result.camera,
    crop: { size, transform: { ...transform, scale } },
    box: { x: x * factor, y: y * factor, width: w * factor, height: h * factor },
    score: annotation.score,
    landmarks: points(result.landmarks[0].data, 2),
    landmarks3d: points(landmarks3d.data, 3),
    ...(gaze && { gaze: { left: rounded(gaze.left), right: rounded(gaze.right) } }),
    ...(metric && { metric: { ...metric, irisDiameter: 11.7 as const } }),
    focalLength: {
      pixels: size / 2 / Math.tan(result.camera.fieldOfView / 2) / scale,
      source: photo.focalLength === undefined || method === 'regress' ? 'default' : 'exif',
    },
    annotatedLandmarks: points(annotation.landmarks.data, 2),
    metrics: result.metrics,
    backend: about.backend,
    method,
  }
}

/** Eight digits, as in `encodeParameters`. */
const rounded = (values: ArrayLike<number>) => Array.from(values, (value) => Number(value.toPrecision(8)))

function rows(values: number[], width: number): number[][] {
  return Array.from({ length: values.length / width }, (_, i) => values.slice(i * width, (i + 1) * width))
}
