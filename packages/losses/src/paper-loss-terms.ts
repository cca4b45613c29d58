import { tidy, type Tensor } from '@tensorflow/tfjs-core'
import { ValueError } from '@facekit/core'
import { compositeOver } from './composite-over.js'
import { constant } from './constant.js'
import { identityLoss } from './identity-loss.js'
import { innerMouthLoss } from './inner-mouth-loss.js'
import { landmarkLoss } from './landmark-loss.js'
import type { LossTerm } from './loss-term.js'
import { photometricLoss } from './photometric-loss.js'
import { regularizationLoss, type RegularizationWeights } from './regularization-loss.js'
import { uniformLoss } from './uniform-loss.js'

/** Names of the paper's six terms. */
export type PaperLossName =
  | 'identity'
  | 'photometric'
  | 'landmark'
  | 'innerMouth'
  | 'regularization'
  | 'uniform'

/** Iteration from which the inner mouth loss counts (paper, section 4.1.4). */
const INNER_MOUTH_FROM = 50_000

/** The paper's weights and schedule. */
export const paperLossWeights: Readonly<Record<PaperLossName, LossTerm['weight']>> = Object.freeze({
  identity: 0.2,
  photometric: 1.92,
  landmark: 1.8e-3,
  innerMouth: (iteration: number) => (iteration >= INNER_MOUTH_FROM ? 1.3e-3 : 0),
  regularization: 5e-4,
  uniform: 5,
})

/** Options of `paperLossTerms`. */
export interface PaperLossOptions {
  /** Weights or schedules other than the paper's; 0 switches a term off. */
  weights?: Partial<Record<PaperLossName, LossTerm['weight']>>
  /** Weight of the second summand of the photometric loss. Default 1. */
  eta?: number
  /** Weights of the landmarks, `[68]`, or `[B, 68]` as a tensor. Default `defaultLandmarkWeights`. */
  landmarkWeights?: readonly number[] | Tensor
  /** Weights within the regularization loss. Default 1 each. */
  regularizationWeights?: RegularizationWeights
  /** What the face recognition network sees around the rendered face: nothing (black, as the paper has it), or the input image.
   * Default `'none'`. */
  identityBackground?: 'none' | 'picture'
  /** What happens to a term for which the context lacks something (`embed` for identity, `innerMouth` for the inner
   * mouth): an error when it is computed, or it is skipped. Default `'throw'`. */
  missing?: 'throw' | 'skip'
}

/** The six losses of the paper with its weights and its schedule, for `hybridLoss`.
 *
 * 0.2 identity + 1.92 photometric + 1.8e-3 landmark + 1.3e-3 innerMouth (from iteration 50,000 on) + 5e-4 regularization
 * + 5 uniform                                                                          (MM '22 paper, section 4.1)
 *
 * @throws {ValueError} for a weight of an unknown name; the terms throw one when the context lacks what they need
 * @example
 * const terms = paperLossTerms({ weights: { innerMouth: 1.3e-3, identity: 0 } }) // mouth from the start, no network
 * const { total } = hybridLoss([...terms, myOwnTerm], context, iteration)
 */
export function paperLossTerms(options: PaperLossOptions = {}): LossTerm[] {
  const {
    eta,
    landmarkWeights,
    regularizationWeights,
    identityBackground = 'none',
    missing = 'throw',
  } = options
  for (const name of Object.keys(options.weights ?? {})) {
    if (!Object.hasOwn(paperLossWeights, name)) {
      const known = Object.keys(paperLossWeights).join(', ')
      throw new ValueError(`paperLossTerms: weights has "${name}", expected only ${known}`)
    }
  }
  const term = (
    name: PaperLossName,
    compute: LossTerm['compute'],
    needs?: 'embed' | 'innerMouth',
  ): LossTerm => ({
    name,
    weight: options.weights?.[name] ?? paperLossWeights[name],
    compute: (context) => {
      if (needs && context[needs] === undefined) throw missingPart(name, needs)
      return compute(context)
    },
    ...(needs && missing === 'skip' && { applies: (context) => context[needs] !== undefined }),
  })
  return [
    term(
      'identity',
      (context) =>
        tidy(() => {
          const { rendering } = context
          const seen =
            identityBackground === 'picture'
              ? compositeOver(rendering.image, context.inputImage, rendering.mask)
              : rendering.image
          const embed = context.embed!
          return identityLoss(context.inputEmbedding ?? constant(embed(context.inputImage)), embed(seen))
        }),
      'embed',
    ),
    term('photometric', ({ rendering, ...labels }) =>
      photometricLoss({
        inputImage: labels.inputImage,
        faceRegion: labels.faceRegion,
        skinProbability: labels.skinProbability,
        diffuse: rendering.diffuse,
        image: rendering.image,
        mask: rendering.mask,
        eta,
      }),
    ),
    term('landmark', ({ landmarks, rendering }) =>
      landmarkLoss(landmarks, rendering.landmarks, landmarkWeights),
    ),
    term(
      'innerMouth',
      (context) => innerMouthLoss(context.innerMouth!, context.rendering.innerMouth),
      'innerMouth',
    ),
    term('regularization', ({ parameters }) => regularizationLoss(parameters, regularizationWeights)),
    term('uniform', ({ rendering, parameters }) =>
      uniformLoss(rendering.litDiffuse, parameters.illumination.sphericalHarmonics),
    ),
  ]
}

function missingPart(term: PaperLossName, part: 'embed' | 'innerMouth'): ValueError {
  const label = part === 'embed' ? 'a face recognition network, e.g. of @facekit/annotate' : 'a labelled mask'
  return new ValueError(
    `paperLossTerms: the ${term} term needs context.${part}, which is missing; give it ${label}, or pass weights: { ${term}: 0 } or missing: 'skip'`,
  )
}
