export { loadBaseModel, type BaseModelVariant, type LoadBaseModelOptions } from './load-base-model.js'
export {
  learnFaceModel,
  type LearnedFaceModel,
  type LearnFaceModelOptions,
  type LearningProgress,
} from './learn-face-model.js'
export { loadFaceMesh, type FaceMeshNetwork, type LoadFaceMeshOptions } from './face-mesh-network.js'
export type { LabelledFace } from './dense-landmarks.js'
export type { LearningPerson, LearningPhotograph } from './observe-people.js'
