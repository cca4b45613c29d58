export {
  layersWeights,
  loadLayersWeights,
  saveLayersWeights,
  type LayersWeight,
  type SaveLayersWeightsOptions,
} from './layers/layers-weights.js'
export { scaledBytes } from './layers/quantized-weights.js'
export { initEngine } from './init-engine.js'
export { inspectBackends, type InspectBackendsOptions } from './backends/inspect-backends.js'
export { measureBackend, type BackendSpeed } from './backends/measure-backend.js'
export { assertHealthy } from './backends/health.js'
export { recordStep, type KernelTime, type RecordedStep, type StepInput } from '@facekit/kernels'
export {
  batchNormalization,
  type BatchNormalizationOptions,
  type NormalizedBatch,
} from './layers/batch-normalization.js'
export { synchronizeBatchNormalization } from './layers/synchronize-batch-normalization.js'
export { AdamWOptimizer, type AdamWOptions } from './optimizers/adam-w-optimizer.js'
export { readLossScale, scaledGradients, type LossScale } from './optimizers/scaled-gradients.js'
export { SharedGradients, type ExchangeTimes, type GradientPeers } from './optimizers/shared-gradients.js'
export { clipByGlobalNorm, type ClippedGradients } from './optimizers/clip-by-global-norm.js'
export { completeWasm } from './wasm/complete-wasm.js'
export type {
  AdapterReport,
  BackendMemory,
  BackendName,
  BackendReport,
  EngineInfo,
  InitEngineOptions,
  Precision,
} from './engine-info.js'
