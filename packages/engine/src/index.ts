export { initEngine } from './init-engine.js'
export { inspectBackends } from './inspect-backends.js'
export { assertHealthy } from './health.js'
export { completeWasm } from './complete-wasm.js'
export type {
  AdapterReport,
  BackendName,
  BackendReport,
  EngineInfo,
  InitEngineOptions,
} from './engine-info.js'
