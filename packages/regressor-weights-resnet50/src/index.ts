export {
  loadResNet50Regressor,
  resnet50FaceModel,
  type LoadResNet50Options,
} from './load-resnet50-regressor.js'
