export { fitFace, type FitFaceOptions, type FitProgress } from './fit-face.js'
export type { FitResult } from './fit-result.js'
export type { HeadGeometry, MetricSize } from './head-geometry.js'
export { fitLandmarks } from './landmarks/fit-landmarks.js'
export { fitDenseLandmarks } from './landmarks/fit-dense-landmarks.js'
export type { FitLandmarksOptions, LandmarkFit, LandmarkPosterior } from './landmarks/landmark-fit.js'
export type { ExpressionPrior, IdentityPrior } from './landmarks/shape-prior.js'
export type { NoiseModel } from './landmarks/correlated-noise.js'
export { fitPhotographs, type Beforehand } from './landmarks/fit-photographs.js'
export type { JointPosterior } from './landmarks/joint-posterior.js'
export { calibrateCovariance } from './landmarks/calibrate-covariance.js'
export { shapeUncertainty } from './landmarks/shape-uncertainty.js'
export { defaultFitLossWeights, fitLossTerms, type FitLossWeights } from './fit-loss-terms.js'
export { colorError, landmarkError } from './fit-metrics.js'
export type { FitStep } from './descend.js'
export { pointBasis, type PointBasis } from './landmarks/point-basis.js'
export { projectPoints, projectPointsWithJacobian, type PointView } from './landmarks/project-points.js'
export {
  createFaceTracker,
  type FaceTracker,
  type FaceTrackerOptions,
  type TrackedFace,
} from './track/face-tracker.js'
export { smoothTrack, type SmoothTrackOptions } from './track/smooth-track.js'
