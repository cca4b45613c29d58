export { loadBaseModel, type BaseModelVariant, type LoadBaseModelOptions } from './load-base-model.js'
export {
  learnFaceModel,
  type LearnedFaceModel,
  type LearnFaceModelOptions,
  type LearningProgress,
} from './learn/learn-face-model.js'
export { loadFaceMesh, type FaceMeshNetwork, type LoadFaceMeshOptions } from './learn/face-mesh-network.js'
export type { LabelledFace } from './learn/dense-landmarks.js'
export type { LearningPerson, LearningPhotograph } from './learn/observe-people.js'
