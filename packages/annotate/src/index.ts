export type { Picture } from './picture.js'
export { readPicture, type PictureSource, type ReadPictureOptions } from './read-picture.js'
export {
  applyTransform,
  composeTransforms,
  estimateSimilarity,
  invertTransform,
  type Points,
  type SimilarityTransform,
} from './similarity-transform.js'
export {
  alignFace,
  alignmentTransform,
  cropFace,
  type AlignFaceOptions,
  type FaceCrop,
} from './align-face.js'
export { detectFaces, type DetectFacesOptions } from './detect-faces.js'
export type { Box, FaceDetection } from './detector-network.js'
export { findLandmarks } from './find-landmarks.js'
export { disposeNetworks } from './network-cache.js'
export { setWeightsLocation } from './network-weights.js'
