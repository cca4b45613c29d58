export { initEngine } from './init-engine.js'
export { inspectBackends } from './inspect-backends.js'
export { assertHealthy } from './health.js'
export { recordStep, type RecordedStep } from './record-step.js'
export type { GpuKernelTime } from './gpu-profile.js'
export { completeWasm } from './complete-wasm.js'
export type {
  AdapterReport,
  BackendName,
  BackendReport,
  EngineInfo,
  InitEngineOptions,
} from './engine-info.js'
