export {
  openCelebaMaskFolder,
  type CelebaMaskFolder,
  type CelebaMaskSample,
} from './segment/celeba-mask-folder.js'
export { classWeights, segmentationLoss, type SegmentationLossOptions } from './segment/segmentation-loss.js'
export {
  createSegmentationCounter,
  type SegmentationCounter,
  type SegmentationScore,
} from './segment/segmentation-metrics.js'
export { augmentSegmentation, type AugmentSegmentationOptions } from './segment/segmentation-augment.js'
export { pseudoLabels, type PseudoLabelOptions } from './segment/segmentation-pseudo-labels.js'
export { heatmapLoss, type HeatmapLossOptions } from './landmarks/heatmap-loss.js'
export { augmentLandmarks, type AugmentLandmarksOptions } from './landmarks/landmark-augmentation.js'
export {
  createLandmarkBatches,
  type LandmarkBatches,
  type LandmarkBatchesOptions,
} from './landmarks/landmark-batches.js'
export {
  openLandmarks,
  parseLandmarksJson,
  parseLandmarksMat,
  parsePts,
  type LandmarkSample,
  type OpenLandmarksOptions,
} from './landmarks/landmark-dataset.js'
export { mtcnnLoss, type MtcnnLossOptions, type MtcnnTargets } from './detect/mtcnn-loss.js'
export { drawMtcnnWindows, type MtcnnWindow, type MtcnnWindowsOptions } from './detect/mtcnn-windows.js'
export {
  createMtcnnBatches,
  type MtcnnBatch,
  type MtcnnBatches,
  type MtcnnBatchesOptions,
} from './detect/mtcnn-batches.js'
export { boxAroundLandmarks, type FaceScene, type SceneFace } from './detect/face-scene.js'
export { openWiderFace, parseWiderFace, type OpenWiderFaceOptions } from './detect/wider-face.js'
export { openIdentities, type OpenIdentitiesOptions } from './identity/facenet-identities.js'
export {
  evaluateVerification,
  type VerificationOptions,
  type VerificationScores,
} from './identity/facenet-verification.js'
export { tripletLoss, type TripletLossOptions } from './identity/triplet-loss.js'
export {
  createTripletBatches,
  type PersonPictures,
  type TripletBatches,
  type TripletBatchesOptions,
} from './identity/triplet-batches.js'
export {
  cutDenseCrops,
  drawDenseCrops,
  type CropJitter,
  type DenseCropOptions,
  type DenseCrops,
} from './dense/dense-crops.js'
export {
  denseLandmarkLoss,
  type DenseLandmarkLossOptions,
  type DenseTargets,
} from './dense/dense-landmark-loss.js'
export {
  createDenseBatches,
  type DenseBatch,
  type DenseBatches,
  type DenseBatchesOptions,
  type DenseRenderings,
} from './dense/dense-batches.js'
