import { assertParameters, parameterParts, partOf, readParameters } from '@facekit/parameters'
import type { FaceParametersInput, ParameterLayout } from '@facekit/parameters'
import type { FaceUnknowns } from './face-unknowns.js'

/** Writes given parameters into the unknowns; several photographs of one person share the mean of identity and albedo.
 *
 * @param option - name of the option that they came as, for messages
 * @throws {ShapeError} when the parameters do not fit the model, or the number of photographs
 */
export async function storeStart(
  values: Float64Array,
  unknowns: FaceUnknowns,
  option: 'start' | 'prior',
  parameters: FaceParametersInput,
  layout: ParameterLayout,
  batch: number,
): Promise<void> {
  const remedy = 'give one row for each photograph, of this model'
  assertParameters(`fitFace: ${option}`, parameters, { layout, batch, remedy })
  for (const [picture, face] of (await readParameters(parameters)).entries()) {
    for (const part of parameterParts) {
      const { name } = part
      const [first] = unknowns.range(name, picture)
      partOf(face, part).forEach((number, k) => {
        const unknown = unknowns.encode(name, number)
        if (unknowns.isShared(name)) values[first + k] += unknown / batch
        else values[first + k] = unknown
      })
    }
  }
}
