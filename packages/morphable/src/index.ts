export type { MorphableModel } from './morphable-model.js'
export { evaluateShape } from './evaluate-shape.js'
export { evaluateAlbedo } from './evaluate-albedo.js'
export { disposeModel } from './model-tensors.js'
export { vertexNormals } from './vertex-normals.js'
export { landmarkPositions } from './landmark-positions.js'
export { gatherVertices } from './gather-vertices.js'
export { assertCoefficients } from './assert-coefficients.js'
export { cropModel } from './crop-model.js'
export { sampleCoefficients, type SampleOptions } from './sample-coefficients.js'
export { validateModel } from './validate-model.js'
export { encodeMorphableModel, type EncodeModelOptions } from './encode-morphable-model.js'
export { decodeMorphableModel } from './decode-morphable-model.js'
export { saveMorphableModel } from './save-morphable-model.js'
export { loadMorphableModel } from './load-morphable-model.js'
export { createMorphableModel, type CreateModelOptions, type ModelArrays } from './create-morphable-model.js'
export type { ArrayOf } from './model-arrays.js'
export type { ModelSource } from './model-source.js'
export { readBaselFaceModel, type BaselOptions } from './read-basel-face-model.js'
export { readAlbedoModel, type AlbedoPart } from './read-albedo-model.js'
export { readIctFaceKit, type IctFiles, type IctOptions } from './read-ict-face-kit.js'
export { readArrayModel, type ArrayModelOptions } from './read-array-model.js'
export {
  detectModelFormat,
  readMorphableModel,
  type ModelFormat,
  type ReadModelOptions,
} from './read-morphable-model.js'
export {
  readStatismoModel,
  type LinearPart,
  type NamedPoint,
  type StatismoModel,
} from './read-statismo-model.js'
export { describeHdf5, type Hdf5Node } from './describe-hdf5.js'
export type { Hdf5Options } from './hdf5-file.js'
export { surfaceCorrespondence, type SurfaceCorrespondence } from './surface-correspondence.js'
export { transferAlbedo, type TransferAlbedoOptions } from './transfer-albedo.js'
export {
  transferCoefficients,
  type FaceCoefficients,
  type TransferCoefficientsOptions,
  type TransferredCoefficients,
} from './transfer-coefficients.js'
export { modelStatistics, type ModelStatistics, type PartStatistics } from './model-statistics.js'
