export { initEngine } from './init-engine.js'
export { inspectBackends, type InspectBackendsOptions } from './inspect-backends.js'
export { measureBackend, type BackendSpeed } from './measure-backend.js'
export { assertHealthy } from './health.js'
export { recordStep, type RecordedStep } from './record-step.js'
export type { GpuKernelTime } from './gpu-profile.js'
export {
  batchNormalization,
  type BatchNormalizationOptions,
  type NormalizedBatch,
} from './batch-normalization.js'
export { completeWasm } from './complete-wasm.js'
export type {
  AdapterReport,
  BackendMemory,
  BackendName,
  BackendReport,
  EngineInfo,
  InitEngineOptions,
} from './engine-info.js'
