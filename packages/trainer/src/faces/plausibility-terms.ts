import { ValueError } from '@facekit/core'
import { defaultLightPosition } from '@facekit/parameters'
import type { LossTerm } from '@facekit/losses'
import type { MorphableModel } from '@facekit/morphable'
import * as tf from '@tensorflow/tfjs-core'

/** Names of the terms of `plausibilityTerms`. */
export type PlausibilityName = 'expressionRange' | 'pointLight'

const NAMES: readonly PlausibilityName[] = ['expressionRange', 'pointLight']
/** How far lamps usually are from the default one, mm. */
const LAMP_SPREAD = 500

/** Losses that keep parameters plausible where a photograph says little about them.
 *
 * - `expressionRange`: squared distance of expression coefficients from the model's range (blendshapes: 0 to 1), summed over the coefficients
 * - `pointLight`: squared distance of the point light from `defaultLightPosition` in units of 500 mm, and squared deviations of its colour from grey
 *
 * @param weights - of the terms that are wanted
 * @returns terms for `hybridLoss`, scalars, means over the pictures
 * @differentiable expression, light position and colour
 * @throws {ValueError} for an unknown name, or a range where the model has none
 * @example
 * const losses = [...paperLossTerms(), ...plausibilityTerms(model, { pointLight: 0.01 })]
 */
export function plausibilityTerms(
  model: MorphableModel,
  weights: Partial<Record<PlausibilityName, LossTerm['weight']>>,
): LossTerm[] {
  const { expressionRange } = model.shape
  return Object.entries(weights).map(([name, weight]): LossTerm => {
    if (name === 'pointLight') return { name, weight, compute: (context) => pointLight(context) }
    if (name !== 'expressionRange')
      throw new ValueError(`plausibilityTerms: weights has "${name}", expected only ${NAMES.join(', ')}`)
    if (!expressionRange) {
      throw new ValueError(
        `plausibilityTerms: expressions of model "${model.name}" have no range, expected blendshapes; leave expressionRange out`,
      )
    }
    return { name, weight, compute: (context) => outside(context.parameters.expression, expressionRange) }
  })
}

function outside(expression: tf.Tensor2D, [low, high]: readonly [number, number]): tf.Scalar {
  return tf.tidy(() => {
    const excess = tf.add(tf.relu(tf.sub(low, expression)), tf.relu(tf.sub(expression, high)))
    return tf.mean(tf.sum(tf.square(excess), 1))
  })
}

function pointLight({ parameters: { illumination } }: Parameters<LossTerm['compute']>[0]): tf.Scalar {
  return tf.tidy(() => {
    const { lightPosition, lightColor } = illumination
    const away = tf.div(tf.sub(lightPosition, [[...defaultLightPosition]]), LAMP_SPREAD)
    const tint = tf.sub(lightColor, tf.mean(lightColor, 1, true))
    return tf.add(tf.mean(tf.sum(tf.square(away), 1)), tf.mean(tf.sum(tf.square(tint), 1)))
  })
}
