export { runTraining } from './loop/run-training.js'
export type {
  BatchSource,
  Schedule,
  TrainedModel,
  TrainingLoss,
  TrainingOptions,
  TrainingProgress,
  TrainingResult,
} from './loop/training-options.js'
export { cosineSchedule, stepSchedule, warmup } from './loop/schedules.js'
export { replayedBatches, type ReplayOptions } from './loop/replayed-batches.js'
export { seededBatches } from './loop/seeded-batches.js'
export { DivergenceError } from './loop/loss-guard.js'
export type { GradientReducer } from './ranks/gradient-reducer.js'
export { listCheckpoints, readCheckpoint, readLatestCheckpoint, type Checkpoint } from './loop/checkpoint.js'
export { readTrainingLog, type LogLine } from './log/training-log.js'
export { train, type TrainOptions } from './faces/train.js'
export { paperRecipe, type TrainingRecipe } from './faces/paper-recipe.js'
export {
  supervisedTerms,
  supervisedWeights,
  type SupervisedContext,
  type SupervisedName,
  type SupervisedTerm,
} from './faces/supervised-terms.js'
export { plausibilityTerms, type PlausibilityName } from './faces/plausibility-terms.js'
export {
  renderedBatches,
  type FaceRenderings,
  type PhotoBatch,
  type RenderedBatch,
  type RenderedShare,
} from './faces/face-batches.js'
export type { TrainableRegressor } from './faces/face-loss.js'
export { evaluateRegressor, type RegressorScores } from './faces/evaluate-regressor.js'
export { drawFacePanel } from './faces/face-panel.js'
export { openMpi, type OpenMpiOptions } from './ranks/open-mpi.js'
export { takeGpu, type RankGpu, type TakeGpuOptions } from './ranks/take-gpu.js'
export { localRank, processRank, type MpiFamily, type ProcessRank } from './ranks/process-rank.js'
export { writeTrainingReport } from './log/training-report.js'
