import type { MorphableModel } from '@facekit/morphable'
import { defaultLightPosition } from '@facekit/parameters'
import { paperLossTerms, uniformLoss, type LossTerm } from '@facekit/losses'
import { naturalLightTerm } from './natural-light-term.js'
import {
  add,
  div,
  mean,
  mul,
  relu,
  square,
  sub,
  sum,
  tidy,
  zeros,
  type Rank,
  type Scalar,
} from '@tensorflow/tfjs-core'

/** Weights of the terms of a fit. The paper's weights are for training a regressor on many pictures; fitting one picture in some
 * sixty steps, from a start that already matches its landmarks, needs other ones. */
export interface FitLossWeights {
  identity: LossTerm['weight']
  photometric: LossTerm['weight']
  landmarks: LossTerm['weight']
  innerMouth: LossTerm['weight']
  regularization: LossTerm['weight']
  uniform: LossTerm['weight']
  /** Keeps expression coefficients in the model's `expressionRange`. */
  expressionRange: LossTerm['weight']
  /** Keeps light and tone of the skin likely, see `tonePrior`. */
  naturalLight: LossTerm['weight']
  /** Keeps the point light in front of the face, white and moderate. */
  pointLight: LossTerm['weight']
}

/** The recognition network costs twice as much as the rest of a step, so its term counts only in every n-th step. */
const IDENTITY_EVERY = 4

/** What `fitFace` uses by default, tuned on photographs. */
export const defaultFitLossWeights: FitLossWeights = {
  identity: (iteration) => (iteration % IDENTITY_EVERY === IDENTITY_EVERY - 1 ? 0.6 * IDENTITY_EVERY : 0),
  photometric: 4,
  landmarks: 4e-3,
  innerMouth: 1.3e-3,
  regularization: 5e-4,
  uniform: 0.2,
  expressionRange: 1,
  naturalLight: 0.03,
  pointLight: 0.02,
}

/** The terms that `fitFace` minimises: the paper's six, of `uniform` only the half for the albedo, and three that keep a single fit believable:
 * `expressionRange` for blendshapes outside of the model's range, `naturalLight` for the colours of light and skin, and `pointLight` for a lamp that wanders off or takes on a colour.
 *
 * @param shape - `'anchored'`: pose and shape are held by the posterior of the landmarks, which knows landmarks and prior already, so that neither is
 *   counted again; `'still'`: they do not move at all; `'free'` (default): by the terms alone
 */
export function fitLossTerms(
  model: MorphableModel,
  weights: Partial<FitLossWeights> = {},
  shape: 'still' | 'anchored' | 'free' = 'free',
): LossTerm[] {
  // Of light and colours the identity term changes nothing that can be measured (colour error within 1e-4 on four faces), at the price of a third to a half of the
  // time, and it looks at details, which are not what moves an anchored shape.
  const anchored = shape === 'free' ? {} : { landmarks: 0, expressionRange: 0, identity: 0 }
  // The mouth of a shape that does not move stays as open as it is.
  const still = shape === 'still' ? { innerMouth: 0 } : {}
  const w = { ...defaultFitLossWeights, ...anchored, ...still, ...weights }
  const paper = paperLossTerms({
    weights: {
      identity: w.identity,
      photometric: w.photometric,
      landmark: w.landmarks,
      innerMouth: w.innerMouth,
      regularization: w.regularization,
      uniform: 0,
    },
    // Blendshapes in 0..1 spread less than a standard deviation of 1.
    // An anchor is so light that it does not hold what no landmark shows: identity keeps its prior.
    regularizationWeights:
      shape === 'free'
        ? { expression: model.shape.expressionRange ? 4 : 1 }
        : { identity: shape === 'still' ? 0 : 0.25, expression: 0 },
    // The recognition network was not trained on faces in front of black.
    identityBackground: 'picture',
    missing: 'skip',
  })
  const others = paper.filter(({ name }) => name !== 'uniform')
  return [
    ...others,
    evenDiffuseTerm(w.uniform),
    naturalLightTerm(model, w.naturalLight),
    expressionRangeTerm(model, w.expressionRange),
    pointLightTerm(w.pointLight),
  ]
}

/** The paper's uniform loss without its half for the light, which makes light white and coloured faces. */
function evenDiffuseTerm(weight: LossTerm['weight']): LossTerm {
  return {
    name: 'uniform',
    weight,
    compute: ({ rendering: { litDiffuse } }) =>
      tidy(() => uniformLoss(litDiffuse, zeros<Rank.R3>([litDiffuse.shape[0], 9, 3]))),
  }
}

/** Sum of squared excess of expression coefficients over the model's range, mean over the batch. */
function expressionRangeTerm(model: MorphableModel, weight: LossTerm['weight']): LossTerm {
  const range = model.shape.expressionRange
  return {
    name: 'expressionRange',
    weight: range ? weight : 0,
    compute: ({ parameters: { expression } }) =>
      tidy(() => {
        const [low, high] = range ?? [0, 1]
        const excess = add(square(relu(sub(low, expression))), square(relu(sub(expression, high))))
        return mean(sum(excess, 1)) as Scalar
      }),
  }
}

/** Distance of the point light from its usual place (0, 400, 1200) mm in units of two metres, squared, and the squared
 * departures of its colour from gray, as shares of it. */
function pointLightTerm(weight: LossTerm['weight']): LossTerm {
  return {
    name: 'pointLight',
    weight,
    compute: ({ parameters: { illumination } }) =>
      tidy(() => {
        const away = mul(sub(illumination.lightPosition, [[...defaultLightPosition]]), 1 / 2000)
        const gray = mean(illumination.lightColor, 1, true)
        const tint = sub(div(illumination.lightColor, gray), 1)
        return add(mean(sum(square(away), 1)), mean(sum(square(tint), 1))) as Scalar
      }),
  }
}
