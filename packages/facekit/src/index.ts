export { findFaces, prepare, reconstruct, reconstructAll } from './reconstruct.js'
export type { Face, FaceFollower, FaceGeometry, FaceMaps, FollowedFace, PhotographView } from './face.js'
export type { Caution } from './cautions.js'
export type { FaceDocument } from './face-document.js'
export type {
  FoundFace,
  GlbOptions,
  HeadExtent,
  HeadOptions,
  Method,
  Networks,
  PhotoOptions,
  ReconstructOptions,
  ReconstructProgress,
  RenderOptions,
  ShapeChange,
} from './options.js'
export type { PhotoSource, RgbaImage } from './photo-source.js'
export { lightPresets, type Light, type LightName } from './light-presets.js'
export {
  AnnotationError,
  BackendError,
  FacekitError,
  ImageError,
  ModelFormatError,
  ValueError,
} from '@facekit/core'
