// Registers the gradients of tfjs.
import '@facekit/kernels'

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
