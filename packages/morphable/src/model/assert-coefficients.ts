import { ShapeError } from '@facekit/core'
import type { ParameterLayout } from '@facekit/parameters'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { MorphableModel } from './morphable-model.js'

/** Checks that coefficients fit a model and agree in their batch size.
 *
 * @param who - the public function that checks, begins the message
 * @param coefficients - `[B, K]` for each name; absent ones are not checked
 * @param remedy - what the caller can do, ends the message
 * @returns B
 * @throws {ShapeError} `renderFace: identity is [1, 80], model "basel-2017" needs [B, 199]; ...`
 */
export function assertCoefficients(
  who: string,
  model: MorphableModel,
  coefficients: Partial<Record<keyof ParameterLayout, Tensor>>,
  remedy = 'pass coefficients that fit model.layout',
): number {
  let batch: number | undefined
  for (const [name, tensor] of Object.entries(coefficients)) {
    const shape: readonly number[] | undefined = tensor?.shape
    const count = model.layout[name as keyof ParameterLayout]
    if (shape?.length !== 2 || shape[1] !== count || (batch !== undefined && shape[0] !== batch)) {
      const actual = shape ? `[${shape.join(', ')}]` : String(tensor)
      throw new ShapeError(
        `${who}: ${name} is ${actual}, model "${model.name}" needs [${batch === undefined ? 'B' : `B=${batch}`}, ${count}]; ${remedy}`,
      )
    }
    batch = shape[0]
  }
  return batch ?? 0
}
