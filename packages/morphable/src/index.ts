export type { MorphableModel } from './morphable-model.js'
