import { ValueError } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
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
    if (!Array.isArray(given)) {
      const names = model.shape.expressionNames ?? []
      for (const [expression, value] of Object.entries(given)) {
        const index = names.indexOf(expression)
        if (index < 0) {
          throw new ValueError(
            `${who}: fixed.expression has "${expression}", model "${model.name}" has ${names.length > 0 ? names.join(', ') : 'no names'}`,
          )
        }
        row[index] = value as number
      }
    }
    result[name] = row
  }
  return result
}
