export { loadPretrainedRegressor, type LoadPretrainedOptions } from './load-pretrained-regressor.js'
