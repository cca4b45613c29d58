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
