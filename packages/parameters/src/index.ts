// Registers the gradients of tfjs.
import '@facekit/kernels'

export type {
  FaceParameters,
  FaceParametersInput,
  Illumination,
  ParameterLayout,
  ParameterTree,
  Pose,
} from './face-parameters.js'
export { defaultLightPosition, whiteLight } from './light.js'
export {
  constantPartSize,
  parameterParts,
  parameterPath,
  partShape,
  partSize,
  partStart,
  type ParameterName,
  type ParameterPart,
} from './parameter-parts.js'
export { buildParameters, mapParameters, partOf } from './parameter-tree.js'
export { assertParameters, type AssertParametersOptions } from './assert-parameters.js'
export {
  packParameters,
  parameterCount,
  parameterSegments,
  unpackParameters,
  type ParameterSegment,
} from './parameter-vector.js'
export { neutralParameters } from './neutral-parameters.js'
export { disposeParameters, parametersFromTensors, parameterTensors } from './parameter-tensors.js'
export { createParameters, readParameters } from './parameter-arrays.js'
export { expressionCoefficients } from './expression-names.js'
export { decodeParameters, encodeParameters, type ParametersJson } from './parameters-json.js'
export { arkitModes, arkitNames, arkitWeights, type ArkitName } from './arkit-names.js'
export { parametersSchema, type JsonSchema } from './parameters-schema.js'
