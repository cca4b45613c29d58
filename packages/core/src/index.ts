import './gradients.js'

export {
  AnnotationError,
  BackendError,
  CheckpointError,
  FacekitError,
  ImageError,
  ModelFormatError,
  ShapeError,
  ValueError,
} from './errors.js'
export { assertDataType, assertShape, type Dimension, type Dimensions } from './shape-checks.js'
export { assertInRange, assertInteger } from './value-checks.js'
export { createRandom, restoreRandom, type Random, type RandomState } from './random.js'
export { faceLabels, type FaceLabel } from './face-labels.js'
export type { FaceParameters, Illumination, ParameterLayout, Pose } from './face-parameters.js'
export {
  packParameters,
  parameterCount,
  parameterSegments,
  unpackParameters,
  type ParameterSegment,
} from './parameter-vector.js'
export { neutralParameters } from './neutral-parameters.js'
export { disposeParameters, parameterTensors } from './parameter-tensors.js'
export {
  readSafetensors,
  writeSafetensors,
  type SafetensorsData,
  type SafetensorsEntry,
  type SafetensorsFile,
  type SafetensorsType,
} from './safetensors.js'
export {
  layersWeights,
  loadLayersWeights,
  saveLayersWeights,
  type LayersWeight,
  type SaveLayersWeightsOptions,
} from './layers-weights.js'
export { writeFileAtomic } from './write-file-atomic.js'
export { hasHostMemory, runHostKernel, type HostKernel } from './host-kernel.js'
export { computeOnHost, type HostArray, type OutputSpec } from './host-arrays.js'
export {
  makeGpuTensor,
  runGpuProgram,
  workgroupsFor,
  type GpuBackend,
  type GpuCommand,
  type GpuProgram,
  type GpuProgramArguments,
  type GpuTensorData,
} from './gpu-program.js'
export { wgslGroupSum, wgslMain } from './wgsl.js'
export { gpuConstant } from './gpu-constant.js'
export { recordStep, type KernelTime, type RecordedStep } from './record-step.js'
