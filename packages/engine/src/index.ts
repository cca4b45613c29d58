export { initEngine } from './init-engine.js'
export { inspectBackends, type InspectBackendsOptions } from './inspect-backends.js'
export { measureBackend, type BackendSpeed } from './measure-backend.js'
export { assertHealthy } from './health.js'
export { recordStep, type KernelTime, type RecordedStep } from '@facekit/core'
export {
  batchNormalization,
  type BatchNormalizationOptions,
  type NormalizedBatch,
} from './batch-normalization.js'
export { synchronizeBatchNormalization } from './synchronize-batch-normalization.js'
export { AdamWOptimizer, type AdamWOptions } from './adam-w-optimizer.js'
export { clipByGlobalNorm, type ClippedGradients } from './clip-by-global-norm.js'
export { completeWasm } from './complete-wasm.js'
export type {
  AdapterReport,
  BackendMemory,
  BackendName,
  BackendReport,
  EngineInfo,
  InitEngineOptions,
} from './engine-info.js'
