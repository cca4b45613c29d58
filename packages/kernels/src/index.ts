import './gradients.js'
export { hasHostMemory } from './host-backends.js'
export { computeOnHost, type HostArray, type OutputSpec } from './host-arrays.js'
export {
  compileAhead,
  convertGpuTensor,
  gpuMemoryType,
  makeGpuTensor,
  runGpuProgram,
  workgroupsFor,
  type GpuMemoryType,
  type GpuProgram,
  type GpuProgramArguments,
} from './gpu-program.js'
export { keptHalves, refreshHalves } from './gpu-kept-halves.js'
export type { GpuBackend, GpuCommand, GpuTensorData } from './gpu-backend.js'
export { wgslGroupSum, wgslMain } from './wgsl.js'
export { gpuConstant } from './gpu-constant.js'
export { recordStep, type KernelTime, type RecordedStep, type StepInput } from './record-step.js'
export { load3, sineAndCosine, store3 } from './wgsl-vectors.js'
export { defineKernel } from './define-kernel.js'
export { float32, float32Like, int32, type TensorSpec } from './tensor-spec.js'
export { untracked } from './untracked.js'
export { isRecording } from './kernel-tape.js'
export type { Kernel, KernelDefinition, NoAttributes } from './kernel-types.js'
