import { ValueError } from '@facekit/core'

/** Coefficients of expressions that are given by name; the others are 0.
 *
 * @param who - begins the message
 * @param values - e.g. `{ jawOpen: 0.5 }`
 * @param names - of the model's expression modes, in their order
 * @param owner - whose names they are, for the message
 * @returns `[Ke]`
 * @throws {ValueError} when the model has no expression of that name
 * @example
 * expressionCoefficients('app', { jawOpen: 0.5 }, ['eyeBlinkLeft', 'jawOpen']) // Float32Array [0, 0.5]
 */
export function expressionCoefficients(
  who: string,
  values: Readonly<Record<string, number>>,
  names: readonly string[],
  owner = 'the model',
): Float32Array {
  const result = new Float32Array(names.length)
  for (const [name, value] of Object.entries(values)) {
    const index = names.indexOf(name)
    if (index < 0) {
      const known = names.length > 0 ? names.join(', ') : 'no names'
      throw new ValueError(`${who} has "${name}", ${owner} has ${known}`)
    }
    result[index] = value
  }
  return result
}
