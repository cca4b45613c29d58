import { ValueError } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import { expressionCoefficients } from '@facekit/parameters'
import type { FixedParameters } from '../synthesizer-options.js'

/** Coefficients that are the same in all pictures, as long as the model needs them. */
export interface FixedCoefficients {
  identity?: Float32Array
  albedo?: Float32Array
  expression?: Float32Array
}

/** Fits what is fixed to a model.
 *
 * @throws {ValueError} when there are more numbers than the model has modes, or an expression has another name
 */
export function fixedCoefficients(
  model: MorphableModel,
  fixed: FixedParameters,
  who = 'createFaceSynthesizer',
): FixedCoefficients {
  const result: FixedCoefficients = {}
  const byName = (values: Readonly<Record<string, number>>) =>
    expressionCoefficients(
      `${who}: fixed.expression`,
      values,
      model.shape.expressionNames ?? [],
      `model "${model.name}"`,
    )
  for (const name of ['identity', 'albedo', 'expression'] as const) {
    const given = fixed[name]
    if (given === undefined) continue
    const row = new Float32Array(model.layout[name])
    const values: readonly number[] = Array.isArray(given) ? (given as readonly number[]) : []
    if (values.length > row.length) {
      throw new ValueError(
        `${who}: fixed.${name} has ${values.length} numbers, model "${model.name}" has ${row.length}`,
      )
    }
    row.set(values)
    result[name] = Array.isArray(given) ? row : byName(given as Readonly<Record<string, number>>)
  }
  return result
}
