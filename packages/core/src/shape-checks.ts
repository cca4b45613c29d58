import type { DataType, Tensor } from '@tensorflow/tfjs-core'
import { ShapeError } from './errors.js'

/** One dimension of an expected shape: a fixed size, or the name of a free one.
 *
 * The same name must stand for the same size throughout one check.
 */
export type Dimension = number | string

/** Sizes that named dimensions were found to have. */
export type Dimensions = Record<string, number>

const describe = (shape: readonly Dimension[]) => `[${shape.join(', ')}]`

/** Checks a tensor's shape and names its dimensions.
 *
 * @param who - the public function that checks, and the argument: `"renderFace: identity"`
 * @param tensor - the tensor to check; only its `shape` is read
 * @param expected - sizes and names, e.g. `['B', 'N', 3]`; a leading `'...'` allows any leading dimensions
 * @param known - sizes of names that are already fixed; new ones are added to it
 * @param remedy - what the caller can do about it, ends the message
 * @returns the sizes of all names
 * @throws {ShapeError} when a dimension differs
 * @example
 * const { B, N } = assertShape('vertexNormals: vertices', vertices, ['B', 'N', 3])
 */
export function assertShape(
  who: string,
  tensor: { shape: readonly number[] },
  expected: readonly Dimension[],
  known: Dimensions = {},
  remedy?: string,
): Dimensions {
  const shape = tensor?.shape
  const before = { ...known }
  const fail = () => {
    const needed = expected.map((d) =>
      typeof d === 'string' && before[d] !== undefined ? `${d}=${before[d]}` : d,
    )
    const actual = Array.isArray(shape)
      ? describe(shape)
      : String(shape === undefined ? typeof tensor : shape)
    throw new ShapeError(`${who} is ${actual}, expected ${describe(needed)}${remedy ? `; ${remedy}` : ''}`)
  }
  if (!Array.isArray(shape)) return fail()
  const open = expected[0] === '...'
  const tail = open ? expected.slice(1) : expected
  if (open ? shape.length < tail.length : shape.length !== tail.length) return fail()
  const actual = shape.slice(shape.length - tail.length)
  for (let i = 0; i < tail.length; i++) {
    const dimension = tail[i]
    if (typeof dimension === 'number') {
      if (actual[i] !== dimension) return fail()
    } else if (known[dimension] === undefined) {
      known[dimension] = actual[i]
    } else if (known[dimension] !== actual[i]) {
      return fail()
    }
  }
  return known
}

/** Checks a tensor's data type.
 *
 * @throws {ShapeError} when `tensor.dtype` is not `expected`
 */
export function assertDataType(who: string, tensor: Tensor, expected: DataType): void {
  if (tensor.dtype !== expected) {
    throw new ShapeError(
      `${who} has data type ${tensor.dtype}, expected ${expected}; use tensor.cast('${expected}')`,
    )
  }
}
