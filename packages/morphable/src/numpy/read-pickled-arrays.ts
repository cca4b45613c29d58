import { ModelFormatError } from '@facekit/core'
import { memoryLimit } from '../readers/memory-limit.js'
import { unpackNumbers } from './packed-numbers.js'
import { isObject, parsePickle, pickleText, type PickleObject, type PickleValue } from './parse-pickle.js'
import type { ShapedArray } from '../readers/shaped-array.js'

/** Reads the arrays of a dictionary that Python has pickled, as FLAME's own files are: numpy's arrays, scipy's sparse matrices (made dense) and chumpy's arrays. They
 * are read as data; no code of the file runs.
 *
 * @param wanted - names of arrays that are read
 * @returns the arrays, and the names of all that the file has
 * @throws {ModelFormatError} when it is truncated or damaged, or a wanted entry is something else
 */
export function readPickledArrays(
  bytes: Uint8Array,
  who: string,
  wanted: (name: string) => boolean,
): { arrays: Map<string, ShapedArray>; names: string[] } {
  const content = parsePickle(bytes, who)
  if (!(content instanceof Map))
    throw new ModelFormatError(`${who}: the pickle is no dictionary; expected one of arrays, as FLAME's`)
  const arrays = new Map<string, ShapedArray>()
  let left = memoryLimit(bytes.length)
  for (const [key, value] of content) {
    const name = pickleText(key)
    if (!wanted(name)) continue
    const array = arrayOf(value, left, (what) => {
      throw new ModelFormatError(
        `${who}: ${name} ${what}, which is not read as data; if you trust the file, convert it, which runs what is in it: ${CONVERSION}`,
      )
    })
    left -= 4 * array.data.length
    arrays.set(name, array)
  }
  return { arrays, names: [...content.keys()].map(pickleText) }
}

/** One line for a shell. `.r` are the numbers of chumpy. */
const CONVERSION = `python3 -c "import pickle, numpy; m = pickle.load(open('model.pkl', 'rb'), encoding='latin1'); numpy.savez('model.npz', **{k: v.toarray() if hasattr(v, 'toarray') else getattr(v, 'r', v) for k, v in m.items()})"`

type Fail = (what: string) => never

function arrayOf(value: PickleValue, most: number, fail: Fail): ShapedArray {
  if (!isObject(value)) return fail('is no array')
  if (/^numpy\.(_?core\.multiarray\._reconstruct|_?core\.numeric\._frombuffer)$/.test(value.global))
    return numpyArray(value, most, fail)
  if (!(value.state instanceof Map)) return fail(`is made by ${value.global}`)
  const part = (name: string) => value.state instanceof Map && (value.state.get(name) ?? null)
  const type = classOf(value)
  const [, packing] = /^scipy\.sparse\..*\b(csc|csr)_(?:matrix|array)$/.exec(type) ?? []
  if (packing !== undefined) {
    const parts = ['data', 'indices', 'indptr'].map((name) => arrayOf(part(name) || null, most, fail).data)
    return dense(packing === 'csc', numbersOf(part('_shape') || part('shape') || null), parts, most, fail)
  }
  if (type.startsWith('chumpy.ch.') && isObject(part('x') || undefined))
    return arrayOf(part('x') || null, most, fail)
  return fail(`is made by ${type}`)
}

/** The class of an object: what is called, or, by `copyreg`, its first argument. */
function classOf({ global, args }: PickleObject): string {
  const [first] = args ?? []
  return /^copy_?reg\./.test(global) && isObject(first) ? first.global : global
}

/** `_reconstruct(ndarray, (0,), 'b')` with the state `(version, shape, type, columns first, bytes)`, or `_frombuffer(bytes, type, shape, order)`. */
function numpyArray({ global, args = [], state }: PickleObject, most: number, fail: Fail): ShapedArray {
  const isBuffer = global.endsWith('._frombuffer')
  const [shape, type, columns, packed] = isBuffer
    ? [args[2], args[1], pickleText(args[3]) === 'F', args[0]]
    : Array.isArray(state)
      ? state.slice(1)
      : []
  const name = isObject(type) && type.global === 'numpy.dtype' ? pickleText(type.args?.[0]) : ''
  const order = isObject(type) && Array.isArray(type.state) ? pickleText(type.state[1]) : ''
  const bytes = bytesOf(packed)
  const dimensions = numbersOf(shape ?? null)
  if (!bytes || !dimensions || !name) return fail('is an array of something else than numbers')
  const numbers = {
    bytes,
    start: 0,
    type: name,
    bigEndian: order === '>',
    shape: dimensions,
    columnMajor: columns === true,
  }
  return { shape: dimensions, data: unpackNumbers(numbers, most, fail) }
}

/** Bytes, or what Python 3 writes for them in old protocols: `_codecs.encode('...', 'latin1')`. */
function bytesOf(value: PickleValue | undefined): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value
  if (!isObject(value) || value.global !== '_codecs.encode') return undefined
  const [letters] = value.args ?? []
  return typeof letters === 'string'
    ? Uint8Array.from({ length: letters.length }, (_, i) => letters.charCodeAt(i))
    : undefined
}

function numbersOf(value: PickleValue): number[] | undefined {
  const isList = Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && Number(n) >= 0)
  return isList ? (value as number[]) : undefined
}

/** A compressed sparse matrix with all its zeros. */
function dense(
  byColumns: boolean,
  shape: readonly number[] | undefined,
  [data, indices, starts]: readonly ArrayLike<number>[],
  most: number,
  fail: Fail,
): ShapedArray {
  const [rows, columns] = shape ?? []
  if (shape?.length !== 2 || rows * columns * 8 > most) return fail('is a sparse matrix that is too large')
  const result = new Float64Array(rows * columns)
  const outer = byColumns ? columns : rows
  const inner = byColumns ? rows : columns
  if (starts.length !== outer + 1 || data.length !== indices.length) fail('is a damaged sparse matrix')
  for (let i = 0; i < outer; i++)
    for (let k = starts[i]; k < starts[i + 1]; k++) {
      const j = indices[k]
      if (!(j >= 0 && j < inner)) fail('is a damaged sparse matrix')
      result[byColumns ? j * columns + i : i * columns + j] += data[k]
    }
  return { shape: [rows, columns], data: result }
}
