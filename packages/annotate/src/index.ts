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
