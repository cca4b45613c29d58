import { paperLossTerms, type LossTerm, type PaperLossName } from '@facekit/losses'
import type { MorphableModel } from '@facekit/morphable'
import { defaultLightPosition } from '@facekit/parameters'
import * as tf from '@tensorflow/tfjs-core'

/** Weights of the paper's terms that the shipped weights were trained with; those of Eq. 6 need 200,000 iterations. */
const OWN_WEIGHTS: Record<PaperLossName, number> = {
  identity: 0.4,
  photometric: 3,
  landmark: 8e-3,
  innerMouth: 1.3e-3,
  regularization: 1e-3,
  uniform: 0.2,
}
/** Eyes and mouth, whose landmarks say whether they are open, count most; the jaw's places along the outline are vague. */
const LANDMARK_WEIGHTS = Array.from({ length: 68 }, (_, i) => (i < 17 ? 4 : i < 27 ? 10 : i < 36 ? 8 : 18))

/** Losses on photographs: the paper's, and two that keep faces plausible.
 *
 * @param leaveOut - a term of the paper that does not count
 * @param paper - the paper's own weights, the mouth term from the start
 */
export function photoLosses(
  model: MorphableModel,
  { leaveOut, paper = false }: { leaveOut?: string; paper?: boolean } = {},
): LossTerm[] {
  const weights: Partial<Record<PaperLossName, number>> = paper ? { innerMouth: 1.3e-3 } : { ...OWN_WEIGHTS }
  if (leaveOut) weights[leaveOut as PaperLossName] = 0
  const terms = paperLossTerms({
    weights,
    ...(!paper && { landmarkWeights: LANDMARK_WEIGHTS }),
    regularizationWeights: { expression: model.shape.expressionRange ? 4 : 1 },
    identityBackground: 'picture',
  })
  return [...terms, expressionRange(model), pointLight]
}

/** Expressions outside of the model's range. */
const expressionRange = (model: MorphableModel): LossTerm => ({
  name: 'expressionRange',
  weight: model.shape.expressionRange ? 1 : 0,
  compute: ({ parameters: { expression } }) =>
    tf.tidy(() => {
      const [low, high] = model.shape.expressionRange ?? [0, 1]
      const excess = tf.add(tf.relu(tf.sub(low, expression)), tf.relu(tf.sub(expression, high)))
      return tf.mean(tf.sum(tf.square(excess), 1)) as tf.Scalar
    }),
})

/** A point light far from where lamps are, or coloured. */
const pointLight: LossTerm = {
  name: 'pointLight',
  weight: 0.01,
  compute: ({ parameters: { illumination } }) =>
    tf.tidy(() => {
      const away = tf.mul(tf.sub(illumination.lightPosition, [[...defaultLightPosition]]), 1 / 500)
      const tint = tf.sub(illumination.lightColor, tf.mean(illumination.lightColor, 1, true))
      return tf.add(tf.mean(tf.sum(tf.square(away), 1)), tf.mean(tf.sum(tf.square(tint), 1))) as tf.Scalar
    }),
}
