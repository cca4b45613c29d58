export { identityLoss } from './identity-loss.js'
export { photometricLoss, type PhotometricLossInput } from './photometric-loss.js'
export { defaultLandmarkWeights, landmarkLoss } from './landmark-loss.js'
export { innerMouthLoss } from './inner-mouth-loss.js'
export {
  regularizationLoss,
  type RegularizationWeights,
  type RegularizedCoefficients,
} from './regularization-loss.js'
export { uniformLoss } from './uniform-loss.js'
export { hybridLoss, type HybridLoss } from './hybrid-loss.js'
export { readHybridLoss, type HybridLossValues } from './read-hybrid-loss.js'
export {
  paperLossTerms,
  paperLossWeights,
  type PaperLossName,
  type PaperLossOptions,
} from './paper-loss-terms.js'
export type { LossContext, LossRendering } from './loss-context.js'
export type { LossTerm } from './loss-term.js'
export { constant } from './constant.js'
export { residualNorm } from './residual-norm.js'
