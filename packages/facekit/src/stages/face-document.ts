import type { FaceAnnotation } from '@facekit/annotate'
import type { FitResult } from '@facekit/fit'
import type { MorphableModel } from '@facekit/morphable'
import type { ParametersJson } from '@facekit/parameters'
import type { FaceDocument } from '../face-document.js'
import type { Method } from '../options.js'
import type { Photo } from './read-photo.js'

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
