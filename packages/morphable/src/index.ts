export type { MorphableModel } from './model/morphable-model.js'
export { evaluateShape } from './model/evaluate-shape.js'
export { innerMouthUv } from './rig/inner-mouth-uv.js'
export { evaluateAlbedo } from './model/evaluate-albedo.js'
export { disposeModel } from './model/model-tensors.js'
export { landmarkPositions } from './model/landmark-positions.js'
export { gatherVertices } from './model/gather-vertices.js'
export { assertCoefficients } from './model/assert-coefficients.js'
export { cropModel } from './model/crop-model.js'
export { sampleCoefficients, type SampleOptions } from './model/sample-coefficients.js'
export { validateModel } from './model/validate-model.js'
export { encodeMorphableModel, type EncodeModelOptions } from './model/encode-morphable-model.js'
export { decodeMorphableModel } from './model/decode-morphable-model.js'
export { saveMorphableModel } from './model/save-morphable-model.js'
export { loadMorphableModel } from './model/load-morphable-model.js'
export {
  createMorphableModel,
  type CreateModelOptions,
  type ModelArrays,
} from './readers/create-morphable-model.js'
export type { ArrayOf } from './readers/model-arrays.js'
export type { ModelSource } from './readers/model-source.js'
export { readBaselFaceModel, type BaselOptions } from './readers/read-basel-face-model.js'
export { readBasel2009, type Basel2009Options } from './readers/read-basel-2009.js'
export type { ExpPca } from './readers/exp-pca.js'
export { readAlbedoModel, type AlbedoPart } from './readers/read-albedo-model.js'
export { readIctFaceKit, type IctFiles, type IctOptions } from './readers/read-ict-face-kit.js'
export { readJointModel, type JointModelOptions } from './readers/read-joint-model.js'
export { poseJoints, type JointModel, type JointPose } from './rig/pose-joints.js'
export { readLsfm, type LsfmOptions } from './readers/read-lsfm.js'
export { readMeshFolder, type MeshFolderOptions } from './readers/read-mesh-folder.js'
export { readArrayModel, type ArrayModelOptions } from './readers/read-array-model.js'
export {
  detectModelFormat,
  readMorphableModel,
  type ModelFormat,
  type ReadModelOptions,
} from './readers/read-morphable-model.js'
export {
  readStatismoModel,
  type LinearPart,
  type NamedPoint,
  type StatismoModel,
} from './readers/read-statismo-model.js'
export { describeHdf5, type Hdf5Node } from './hdf5/describe-hdf5.js'
export type { Hdf5Options } from './hdf5/hdf5-connection.js'
export { surfaceCorrespondence, type SurfaceCorrespondence } from './transfer/surface-correspondence.js'
export { transferAlbedo, type TransferAlbedoOptions } from './transfer/transfer-albedo.js'
export {
  transferCoefficients,
  type FaceCoefficients,
  type TransferCoefficientsOptions,
  type TransferredCoefficients,
} from './transfer/transfer-coefficients.js'
export { modelStatistics, type ModelStatistics, type PartStatistics } from './model/model-statistics.js'
export { vertexNormals } from '@facekit/mesh'
export { arkitTargets, type ArkitTarget } from './rig/arkit-targets.js'
export { faceJoints, type FaceJoint, type FaceJoints } from './rig/face-joints.js'
