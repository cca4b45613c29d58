export { runTraining } from './run-training.js'
export type {
  BatchSource,
  Schedule,
  TrainedModel,
  TrainingLoss,
  TrainingOptions,
  TrainingProgress,
  TrainingResult,
} from './training-options.js'
export { cosineSchedule, stepSchedule, warmup } from './schedules.js'
export { seededBatches } from './seeded-batches.js'
export { DivergenceError } from './loss-guard.js'
export type { GradientReducer } from './gradient-reducer.js'
export { listCheckpoints, readCheckpoint, readLatestCheckpoint, type Checkpoint } from './checkpoint.js'
export { readTrainingLog, type LogLine } from './training-log.js'
export { train, type TrainOptions } from './train.js'
export { paperRecipe, type TrainingRecipe } from './paper-recipe.js'
export {
  supervisedTerms,
  supervisedWeights,
  type SupervisedContext,
  type SupervisedName,
  type SupervisedTerm,
} from './supervised-terms.js'
export {
  renderedBatches,
  type FaceRenderings,
  type PhotoBatch,
  type RenderedBatch,
  type RenderedShare,
} from './face-batches.js'
export type { TrainableRegressor } from './face-loss.js'
export { evaluateRegressor, type RegressorScores } from './evaluate-regressor.js'
export { drawFacePanel } from './face-panel.js'
export { openMpi, type OpenMpiOptions } from './open-mpi.js'
export { processRank, type MpiFamily, type ProcessRank } from './process-rank.js'
export { writeTrainingReport } from './training-report.js'
