import { showValue, ValueError } from '@facekit/core'
import type { FaceParameters, ParameterLayout, ParameterTree } from './face-parameters.js'
import {
  constantPartSize,
  parameterPath,
  type parameterParts,
  type ParameterPart,
} from './parameter-parts.js'
import { buildParameters, mapParameters } from './parameter-tree.js'

type Row<Name> = Extract<(typeof parameterParts)[number], { name: Name }>
type Encoded<Name> = { list: number[]; rows: number[][]; number: number }[Row<Name>['encoding']]
type EncodedAll<T> = { [Name in keyof T]: Encoded<Name> }

/** One face as JSON holds it: lists of numbers, `pose.scale` and `illumination.shininess` as single numbers, `sphericalHarmonics` as nine rows of
 * red, green, blue. Units and meanings are those of {@link FaceParameters}. */
export interface ParametersJson extends EncodedAll<Pick<FaceParameters, keyof ParameterLayout>> {
  pose: EncodedAll<FaceParameters['pose']>
  illumination: EncodedAll<FaceParameters['illumination']>
  /** What each expression coefficient moves, where the model has names: `expressionNames[k]` belongs to `expression[k]`. */
  expressionNames?: string[]
}

/** Numbers of one face for a JSON file, such as `parameters.json` of the command `facekit`.
 *
 * Each number has as few digits as tell its float32 from all others, six to nine: reading and writing again changes none.
 *
 * @param face - of `readParameters`
 * @param expressionNames - of the model; `model.shape.expressionNames`
 */
export function encodeParameters(
  face: ParameterTree<ArrayLike<number>>,
  expressionNames?: readonly string[],
): ParametersJson {
  const json = mapParameters(face, (values, part) => {
    const numbers = Array.from(values, shortest)
    if (part.encoding === 'number') return numbers[0]
    return part.encoding === 'rows' ? rows(numbers, part.shape.at(-1) as number) : numbers
  }) as ParametersJson
  return expressionNames ? { ...json, expressionNames: [...expressionNames] } : json
}

/** Reads what `encodeParameters` wrote; other members are ignored.
 *
 * @param who - the file's name, begins the message
 * @param json - anything, it is checked
 * @returns arrays of one face, for `createParameters`, and the names of its expressions
 * @throws {ValueError} that names the part that is missing, has another number of numbers, or holds what is no finite number
 */
export function decodeParameters(
  who: string,
  json: unknown,
): { face: ParameterTree<Float32Array>; expressionNames?: string[] } {
  if (!isRecord(json)) throw new ValueError(`${who}: holds no object, expected the parameters of a face`)
  const face = buildParameters((part) => readPart(who, json, part))
  const { expressionNames: names } = json
  if (names === undefined) return { face }
  const isNames = Array.isArray(names) && names.every((name) => typeof name === 'string')
  if (!isNames || names.length !== face.expression.length)
    throw new ValueError(`${who}: expressionNames is not a list of ${face.expression.length} names`)
  return { face, expressionNames: names }
}

function readPart(who: string, json: Record<string, unknown>, part: ParameterPart): Float32Array {
  const { group, name, shape, encoding, least = -Infinity } = part
  const parent = group ? json[group] : json
  const value = isRecord(parent) ? parent[name] : undefined
  const fail = (what: string): never => {
    const expected = encoding === 'number' ? 'a number' : `numbers in lists of shape [${shape.join(', ')}]`
    throw new ValueError(`${who}: ${parameterPath(part)} ${what}, expected ${expected}`)
  }
  if (value === undefined) return fail('is missing')
  const lists: unknown[] = encoding === 'rows' && Array.isArray(value) ? value : [value]
  if (!lists.every((list) => Array.isArray(list) === (encoding !== 'number')))
    return fail('has another shape')
  const numbers = lists.flat()
  // The lists of coefficients are as long as the model wants: that is checked where a model is known.
  const size = constantPartSize(part) ?? numbers.length
  const rowsFit = encoding !== 'rows' || lists.length === shape[0]
  if (numbers.length !== size || !rowsFit) return fail(`has ${numbers.length} numbers`)
  const odd = numbers.findIndex((number) => !isFloat(number) || number < least)
  if (odd >= 0) return fail(`holds ${showValue(numbers[odd])}`)
  return Float32Array.from(numbers as number[])
}

/** The shortest decimal number that is this float32. */
function shortest(value: number): number {
  const float = Math.fround(value)
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(float.toPrecision(digits))
    if (Math.fround(short) === float) return short
  }
  return Number(float.toPrecision(9))
}

const isFloat = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(Math.fround(value))

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const rows = (values: number[], width: number): number[][] =>
  Array.from({ length: values.length / width }, (_, i) => values.slice(i * width, (i + 1) * width))
