import { constantPartSize, parameterParts, type ParameterPart } from './parameter-parts.js'

/** A JSON Schema, as far as it is used here. */
export type JsonSchema = { readonly [key: string]: unknown }

/** JSON Schema (draft 2020-12) of what `decodeParameters` reads: the parameters of a face in `parameters.json`. Other members are allowed. */
export function parametersSchema(): JsonSchema {
  const members = (group: string | undefined) => {
    const parts = (parameterParts as readonly ParameterPart[]).filter((part) => part.group === group)
    return Object.fromEntries(parts.map((part) => [part.name, partSchema(part)]))
  }
  const object = (properties: Record<string, JsonSchema>, rest: JsonSchema = {}): JsonSchema => ({
    type: 'object',
    properties,
    required: Object.keys(properties),
    ...rest,
  })
  const all = object({
    ...members(undefined),
    pose: object(members('pose')),
    illumination: object(members('illumination')),
  })
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Parameters of a face',
    ...all,
    properties: {
      ...(all.properties as object),
      expressionNames: {
        type: 'array',
        items: { type: 'string' },
        description: 'What each expression coefficient moves: expressionNames[k] belongs to expression[k].',
      },
      model: {
        type: 'object',
        properties: { name: { type: 'string' }, license: { type: 'string' } },
        description: 'The face model that the coefficients belong to.',
      },
      camera: {
        type: 'object',
        properties: {
          fieldOfView: { type: 'number', exclusiveMinimum: 0, description: 'vertical, radians' },
          distance: { type: 'number', exclusiveMinimum: 0, description: 'mm' },
          near: { type: 'number', exclusiveMinimum: 0, description: 'mm' },
          far: { type: 'number', exclusiveMinimum: 0, description: 'mm' },
          projection: { enum: ['perspective', 'weak-perspective'] },
        },
      },
    },
  }
}

function partSchema(part: ParameterPart): JsonSchema {
  const { unit: description, encoding, shape, least } = part
  const number: JsonSchema = { type: 'number', ...(least !== undefined && { minimum: least }) }
  if (encoding === 'number') return { ...number, description }
  const list = (items: JsonSchema, count: number | undefined): JsonSchema => ({
    type: 'array',
    items,
    ...(count !== undefined && { minItems: count, maxItems: count }),
  })
  if (encoding === 'list') return { ...list(number, constantPartSize(part)), description }
  return { ...list(list(number, shape[1] as number), shape[0] as number), description }
}
