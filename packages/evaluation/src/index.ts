export { alignLandmarks, type AlignLandmarksOptions } from './measures/align-landmarks.js'
export { alignIcp, type IcpOptions, type IcpResult } from './measures/align-icp.js'
export type { IcpMetric, ScaleRange } from './measures/icp-step.js'
export { composeSimilarities, invertSimilarity } from './measures/compose-similarities.js'
export { pointToPlane, pointToSurface, type SurfaceDistanceOptions } from './measures/surface-distances.js'
export { chamferDistance } from './measures/chamfer-distance.js'
export { correspondenceError, type CorrespondenceOptions } from './measures/correspondence-error.js'
export { innerMouthError } from './measures/inner-mouth-error.js'
export { normalizedMeanError, type LandmarkNormalization } from './measures/normalized-mean-error.js'
export { pixelColorError, type PixelColorError } from './measures/pixel-color-error.js'
export { skinTypeOf, type SkinType, typologyAngle, typologyAngleError } from './measures/typology-angle.js'
export { summarize, type Summary } from './measures/summarize.js'
export { cumulativeErrors, type CumulativeErrors } from './measures/cumulative-errors.js'
export {
  nowErrors,
  type NowErrors,
  type NowInput,
  nowLandmarks,
  nowRegion,
} from './protocols/now-protocol.js'
export {
  type RealyError,
  realyErrors,
  type RealyInput,
  type RealyRegion,
  realyRegions,
} from './protocols/realy-protocol.js'
export { nonRigidIcp, type NonRigidOptions } from './protocols/non-rigid-icp.js'
export {
  checkPrediction,
  type PredictionCheck,
  type PredictionProblem,
} from './protocols/check-prediction.js'
export type {
  CaseTruth,
  DatasetName,
  DatasetOptions,
  EvaluationCase,
  EvaluationDataset,
  EvaluationProtocol,
  SpaceLandmarks,
} from './datasets/evaluation-dataset.js'
export { datasetNames, openEvaluationDataset } from './datasets/open-evaluation-dataset.js'
export { readSurface } from './datasets/read-surface.js'
export { type PointRows, readPoints, readSpaceLandmarks } from './datasets/read-points.js'
export type { CaseScore, Prediction } from './score/case-score.js'
export { scoreCase } from './score/score-case.js'
export { type Measure, type MeasureName, measures, type Scores } from './score/score-measures.js'
export type { CaseResult, EvaluationResults } from './report/evaluation-results.js'
export {
  type ScoreTable,
  scoreTables,
  type TableCell,
  tableHtml,
  tableMarkdown,
  tablesCsv,
} from './report/score-tables.js'
export { comparableFaces, isComplete } from './report/comparable-faces.js'
export { curvesSvg, type ErrorCurve, type ErrorCurves, errorCurves } from './report/error-curves.js'
export { errorColor } from './report/error-colors.js'
export {
  drawErrorMap,
  drawFront,
  type ErrorMap,
  errorMapGlb,
  type ErrorMapOptions,
} from './report/error-map.js'
export {
  evaluationHtml,
  evaluationMarkdown,
  missingLines,
  type PagePicture,
} from './report/evaluation-page.js'
