export {
  loadPretrainedRegressor,
  pretrainedFaceModel,
  type LoadPretrainedOptions,
} from './load-pretrained-regressor.js'
