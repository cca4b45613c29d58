import { assertShape, type Dimensions } from '@facekit/core'
import type { FaceParameters, FaceParametersInput, ParameterLayout } from './face-parameters.js'
import { assertLayout, parameterParts, parameterPath } from './parameter-parts.js'
import { partOf } from './parameter-tree.js'

/** Options of `assertParameters`. */
export interface AssertParametersOptions {
  /** How many coefficients are needed; without it any number is right. */
  layout?: ParameterLayout
  /** B that is needed; without it all parts only have to agree. */
  batch?: number
  /** What the caller can do, ends the message. */
  remedy?: string
}

/** Names of the counts in messages where no layout says how many. */
const FREE = { identity: 'Ki', expression: 'Ke', albedo: 'Kt' } as const

/** Checks the shape of every part, and tells the compiler.
 *
 * @param who - the public function that checks, and the argument if it has several: `"fitFace: start"`
 * @throws {ShapeError} that names the part: `fitFace: start: pose.scale is [2], expected [B=2, 1]`
 * @throws {ValueError} when `layout` is not three counts
 */
export function assertParameters(
  who: string,
  parameters: FaceParametersInput,
  { layout, batch, remedy }: AssertParametersOptions = {},
): asserts parameters is FaceParameters {
  if (layout) assertLayout(who, layout)
  const known: Dimensions = batch === undefined ? {} : { B: batch }
  for (const part of parameterParts) {
    const shape = part.shape.map((length) =>
      typeof length === 'number' ? length : (layout?.[length] ?? FREE[length]),
    )
    const expected = ['B', ...shape]
    assertShape(`${who}: ${parameterPath(part)}`, partOf(parameters, part), expected, known, remedy)
  }
}
