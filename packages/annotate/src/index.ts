export { annotate, type AnnotateOptions } from './annotate.js'
export type { Picture } from './pictures/picture.js'
export { isMonochrome } from './pictures/is-monochrome.js'
export { isOwnPicture } from './pictures/own-picture.js'
export { equivalentFocalLength, readFocalLength } from './pictures/read-focal-length.js'
export { readPicture, type PictureSource, type ReadPictureOptions } from './pictures/read-picture.js'
export {
  applyTransform,
  composeTransforms,
  estimateSimilarity,
  invertTransform,
  type Points,
  type SimilarityTransform,
} from './pictures/similarity-transform.js'
export {
  alignFace,
  alignmentTransform,
  cropFace,
  type AlignFaceOptions,
  type FaceCrop,
} from './pictures/align-face.js'
export { closeEyes, type CloseEyesOptions } from './landmarks/close-eyes.js'
export { closeLips, type CloseLipsOptions } from './landmarks/close-lips.js'
export { detectFaces, type DetectFacesOptions } from './detect/detect-faces.js'
export { fivePoints } from './landmarks/five-points.js'
export { overlapOf, squareAround, type Box } from './detect/box.js'
export type { FaceDetection } from './detect/detector-network.js'
export { embed, loadEmbedder, type Embedder } from './identity/embedder.js'
export { findSamePerson, type PersonInPicture } from './identity/find-same-person.js'
export { findLandmarks, type FindLandmarksOptions } from './landmarks/find-landmarks.js'
export { disposeNetworks } from './network-cache.js'
export { setWeightsLocation } from './network-weights.js'
export type { FaceAnnotation } from './face-annotation.js'
export type { DenseLandmarks } from './dense/dense-landmarks.js'
export { createDenseNetwork, type DenseNetwork, type DenseNetworkOptions } from './dense/dense-network.js'
export { findDenseLandmarks, type FindDenseLandmarksOptions } from './dense/find-dense-landmarks.js'
export { followDenseLandmarks } from './dense/follow-dense-landmarks.js'
export { denseFeatures, type DenseFeatures } from './dense/dense-graph.js'
export {
  denseOutputs,
  headShapes,
  type DenseCounts,
  type DensePrediction,
  type HeadWeights,
} from './dense/dense-outputs.js'
export { inferenceMoments, trainableMoments, type HeatmapMoments } from './dense/soft-moments.js'
export type { BlockConvolution, NetworkOperations } from './dense/network-operations.js'
export { DENSE_VIEW_DROP, DENSE_VIEW_SIDE } from './dense/dense-view.js'
export {
  openDenseNetwork,
  type DensePredictor,
  readDenseWeights,
  type DenseWeights,
  saveDenseNetwork,
  type DenseCalibration,
  type SaveDenseNetworkOptions,
} from './dense/dense-file.js'
export { loadDenseWeights } from './dense/load-dense-weights.js'
export { faceRegion, innerMouthArea, type FaceRegionOptions } from './segment/face-region.js'
export { refineFaceRegion } from './segment/refine-face-region.js'
export { skinProbability, type SkinProbabilityOptions } from './skin/skin-probability.js'
export { pasteBack } from './pictures/paste-back.js'
export {
  fitGaussianMixture,
  logDensity,
  type FitGaussianMixtureOptions,
  type GaussianMixture,
} from './skin/gaussian-mixture.js'
export { faceClasses, mirroredLabels } from './segment/face-classes.js'
export { createUnetPlusPlus, type UnetPlusPlusOptions } from './segment/unet-plus-plus.js'
export {
  createSegmenter,
  foldSegmenter,
  saveSegmenter,
  type Segmenter,
  type SegmenterOptions,
} from './segment/segmenter.js'
export { loadSegmenter, type LoadSegmenterOptions } from './segment/segmenter-weights.js'
export { segment } from './segment/segment.js'
export { ownFace } from './segment/segment-own-face.js'
export type { FaceSegmentation } from './segment/segmentation-masks.js'
export { createLandmarkNetwork, type LandmarkNetworkOptions } from './landmarks/hourglass-network.js'
export { createHourglass, loadHourglass, saveHourglass, type Hourglass } from './landmarks/hourglass.js'
export {
  decodeHeatmaps,
  drawHeatmaps,
  type DecodeHeatmapsOptions,
  type HeatmapOptions,
} from './landmarks/heatmaps.js'
export { meanLandmarks } from './landmarks/mean-landmarks.js'
export { mirroredLandmarks } from './landmarks/mirrored-landmarks.js'
export { createMtcnn, loadMtcnn, saveMtcnn, type Mtcnn, type MtcnnDetectOptions } from './detect/mtcnn.js'
export { createMtcnnNetwork, type MtcnnStage } from './detect/mtcnn-networks.js'
export { runCascade, type Candidate, type CascadeSettings, type MtcnnModels } from './detect/mtcnn-cascade.js'
export { createPyramid, type ImagePyramid } from './detect/image-pyramid.js'
export { createFaceNet, loadFaceNet, saveFaceNet, type FaceNet } from './identity/facenet.js'
export type { FaceNetOptions } from './identity/facenet-network.js'
export { resample } from './pictures/resample.js'
export { landmarkCount, landmarksView } from './landmarks/landmark-view.js'
export { mtcnnSizes } from './detect/mtcnn-networks.js'
export { cutFromPyramid } from './detect/image-pyramid.js'
export { blurMask } from './pictures/blur-mask.js'
