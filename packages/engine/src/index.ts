export { initEngine } from './init-engine.js'
export type {
  AdapterReport,
  BackendName,
  BackendReport,
  EngineInfo,
  InitEngineOptions,
} from './engine-info.js'
