export { annotate, type AnnotateOptions } from './annotate.js'
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
export { closeEyes, type CloseEyesOptions } from './close-eyes.js'
export { closeLips, type CloseLipsOptions } from './close-lips.js'
export { detectFaces, type DetectFacesOptions } from './detect-faces.js'
export { fivePoints } from './five-points.js'
export type { Box, FaceDetection } from './detector-network.js'
export { embed, loadEmbedder, type Embedder } from './embedder.js'
export { findLandmarks, type FindLandmarksOptions } from './find-landmarks.js'
export { disposeNetworks } from './network-cache.js'
export { setWeightsLocation } from './network-weights.js'
export type { FaceAnnotation } from './face-annotation.js'
export { faceRegion, innerMouthArea, type FaceRegionOptions } from './face-region.js'
export { refineFaceRegion } from './refine-face-region.js'
export { skinProbability, type SkinProbabilityOptions } from './skin-probability.js'
export { pasteBack } from './paste-back.js'
export {
  fitGaussianMixture,
  logDensity,
  type FitGaussianMixtureOptions,
  type GaussianMixture,
} from './gaussian-mixture.js'
export {
  celebaMaskClasses,
  faceClasses,
  labelOf,
  mirroredLabels,
  type CelebaMaskClass,
} from './celeba-mask-classes.js'
export { openCelebaMaskFolder, type CelebaMaskFolder, type CelebaMaskSample } from './celeba-mask-folder.js'
export { createUnetPlusPlus, type UnetPlusPlusOptions } from './unet-plus-plus.js'
export {
  createSegmenter,
  foldSegmenter,
  saveSegmenter,
  type Segmenter,
  type SegmenterOptions,
} from './segmenter.js'
export { loadSegmenter, type LoadSegmenterOptions } from './segmenter-weights.js'
export { segment } from './segment.js'
export { ownFace } from './segment-own-face.js'
export type { FaceSegmentation } from './segmentation-masks.js'
export { classWeights, segmentationLoss, type SegmentationLossOptions } from './segmentation-loss.js'
export {
  createSegmentationCounter,
  type SegmentationCounter,
  type SegmentationScore,
} from './segmentation-metrics.js'
export { augmentSegmentation, type AugmentSegmentationOptions } from './segmentation-augment.js'
export { pseudoLabels, type PseudoLabelOptions } from './segmentation-pseudo-labels.js'
export { createLandmarkNetwork, type LandmarkNetworkOptions } from './hourglass-network.js'
export { createHourglass, loadHourglass, saveHourglass, type Hourglass } from './hourglass.js'
export { decodeHeatmaps, drawHeatmaps, type DecodeHeatmapsOptions, type HeatmapOptions } from './heatmaps.js'
export { heatmapLoss, type HeatmapLossOptions } from './heatmap-loss.js'
export { mirroredLandmarks } from './mirrored-landmarks.js'
export { augmentLandmarks, type AugmentLandmarksOptions } from './landmark-augmentation.js'
export {
  createLandmarkBatches,
  type LandmarkBatches,
  type LandmarkBatchesOptions,
} from './landmark-batches.js'
export {
  openLandmarks,
  parseLandmarksJson,
  parseLandmarksMat,
  parsePts,
  type LandmarkSample,
  type OpenLandmarksOptions,
} from './landmark-dataset.js'
export { readMatFile, type MatArray } from './mat-file.js'
export { createMtcnn, loadMtcnn, saveMtcnn, type Mtcnn, type MtcnnDetectOptions } from './mtcnn.js'
export { createMtcnnNetwork, type MtcnnStage } from './mtcnn-networks.js'
export { mtcnnLoss, type MtcnnLossOptions, type MtcnnTargets } from './mtcnn-loss.js'
export { runCascade, type CascadeSettings, type MtcnnModels } from './mtcnn-cascade.js'
export type { Candidate } from './mtcnn-candidates.js'
export { createPyramid, type ImagePyramid } from './image-pyramid.js'
export { drawMtcnnWindows, type MtcnnWindow, type MtcnnWindowsOptions } from './mtcnn-windows.js'
export {
  createMtcnnBatches,
  type MtcnnBatch,
  type MtcnnBatches,
  type MtcnnBatchesOptions,
} from './mtcnn-batches.js'
export { boxAroundLandmarks, type FaceScene, type SceneFace } from './face-scene.js'
export { openWiderFace, parseWiderFace, type OpenWiderFaceOptions } from './wider-face.js'
export { createFaceNet, loadFaceNet, saveFaceNet, type FaceNet } from './facenet.js'
export type { FaceNetOptions } from './facenet-network.js'
export { openIdentities, type OpenIdentitiesOptions } from './facenet-identities.js'
export {
  evaluateVerification,
  type VerificationOptions,
  type VerificationScores,
} from './facenet-verification.js'
export { tripletLoss, type TripletLossOptions } from './triplet-loss.js'
export {
  createTripletBatches,
  type PersonPictures,
  type TripletBatches,
  type TripletBatchesOptions,
} from './triplet-batches.js'
