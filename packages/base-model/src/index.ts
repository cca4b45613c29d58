export { loadBaseModel, type LoadBaseModelOptions } from './load-base-model.js'
