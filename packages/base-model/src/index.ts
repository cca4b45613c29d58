export { loadBaseModel } from './load-base-model.js'
