import { ModelFormatError } from '@facekit/core'
import type { ParameterLayout } from '@facekit/parameters'
import type { RegressorDescription } from './wrap-model.js'

const FORMAT = 'facekit-regressor'

/** Text that says in a file what a regressor is. */
export function describeRegressor(regressor: RegressorDescription): Record<string, string> {
  const { backbone, inputSize, layout, faceModel, expressionRange, identityShare } = regressor
  return {
    format: FORMAT,
    version: '1',
    backbone,
    inputSize: String(inputSize),
    layout: JSON.stringify(layout),
    ...(faceModel !== undefined && { faceModel }),
    ...(expressionRange && { expressionRange: JSON.stringify(expressionRange) }),
    ...(identityShare !== undefined && { identityShare: String(identityShare) }),
  }
}

/** Reads it again.
 *
 * @throws {ModelFormatError} when it is another file, of another version, or damaged
 */
export function readDescription(who: string, metadata: Record<string, string>): RegressorDescription {
  const { format, version, backbone, faceModel } = metadata
  if (format !== FORMAT || version !== '1') {
    throw new ModelFormatError(
      `${who}: the file holds "${format ?? 'no format'} ${version ?? ''}", expected "${FORMAT} 1"; was it written by saveRegressor?`,
    )
  }
  const layout = parse(who, 'layout', metadata.layout) as ParameterLayout
  const inputSize = Number(metadata.inputSize)
  const counts = [layout.identity, layout.expression, layout.albedo, inputSize]
  if (!backbone || !counts.every((count) => Number.isSafeInteger(count) && count >= 0 && count < 1e6)) {
    throw new ModelFormatError(`${who}: its description is damaged; save it again with saveRegressor`)
  }
  const share = metadata.identityShare === undefined ? undefined : Number(metadata.identityShare)
  if (share !== undefined && !(share >= 0 && share <= 1)) throw damaged(who, 'identityShare')
  const range = metadata.expressionRange && parse(who, 'expressionRange', metadata.expressionRange)
  return {
    backbone,
    inputSize,
    layout: { identity: layout.identity, expression: layout.expression, albedo: layout.albedo },
    ...(faceModel !== undefined && { faceModel }),
    ...(range ? { expressionRange: range as [number, number] } : {}),
    ...(share !== undefined && { identityShare: share }),
  }
}

function parse(who: string, name: string, text: string | undefined): object {
  try {
    const value: unknown = JSON.parse(text ?? '')
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // reported below
  }
  throw damaged(who, name)
}

const damaged = (who: string, name: string) =>
  new ModelFormatError(`${who}: its ${name} is damaged; save it again with saveRegressor`)
