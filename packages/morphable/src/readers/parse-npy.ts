import { ModelFormatError, showValue } from '@facekit/core'
import { memoryLimit } from './memory-limit.js'

/** An array of an .npy file. */
export interface NpyArray {
  shape: number[]
  /** Row-major, whatever the file has. */
  data: Float32Array | Float64Array | Int32Array
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]

/** Whether bytes begin like an .npy file. */
export const isNpy = (bytes: Uint8Array) => MAGIC.every((value, i) => bytes[i] === value)

/** Types that are read: floats, whole numbers, booleans; no objects, which would need Python's pickle. */
const TYPES: Record<string, [bytes: number, read: (view: DataView, at: number, little: boolean) => number]> =
  {
    f2: [2, (view, at, little) => halfAt(view, at, little)],
    f4: [4, (view, at, little) => view.getFloat32(at, little)],
    f8: [8, (view, at, little) => view.getFloat64(at, little)],
    i1: [1, (view, at) => view.getInt8(at)],
    i2: [2, (view, at, little) => view.getInt16(at, little)],
    i4: [4, (view, at, little) => view.getInt32(at, little)],
    i8: [8, (view, at, little) => Number(view.getBigInt64(at, little))],
    u1: [1, (view, at) => view.getUint8(at)],
    u2: [2, (view, at, little) => view.getUint16(at, little)],
    u4: [4, (view, at, little) => view.getUint32(at, little)],
    u8: [8, (view, at, little) => Number(view.getBigUint64(at, little))],
    b1: [1, (view, at) => (view.getUint8(at) === 0 ? 0 : 1)],
  }

function halfAt(view: DataView, at: number, little: boolean): number {
  const bits = view.getUint16(at, little)
  const sign = bits >> 15 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
}

/** The entries of a header: a dictionary in Python's notation, in any order and spacing, as numpy reads it.
 *
 * @returns undefined when it is anything else
 */
function parseHeader(text: string): Record<string, string> | undefined {
  const inner = /^\{([^]*)\}$/.exec(text)?.[1]
  if (inner === undefined) return undefined
  const entry =
    /\s*(['"])(descr|fortran_order|shape)\1\s*:\s*(?:(['"])([^'"\\]*)\3|(True|False)|\(([\d\sL,]*)\))\s*(?:,|$)\s*/y
  const entries: Record<string, string> = {}
  while (entry.lastIndex < inner.length) {
    const found = entry.exec(inner)
    if (!found) return undefined
    entries[found[2]] = found[4] ?? found[5] ?? found[6]
  }
  return entries
}

/** Reads an .npy file of numpy's, versions 1 to 3. The header is parsed as the dictionary that numpy reads; nothing is run.
 *
 * @param most - bytes that the numbers may take, once they are of a type that is worked with
 * @throws {ModelFormatError} when it is truncated, damaged, takes too much, or holds anything but numbers
 */
export function parseNpy(bytes: Uint8Array, who: string, most = memoryLimit(bytes.length)): NpyArray {
  const fail = (what: string): never => {
    throw new ModelFormatError(`${who}: ${what}; expected an .npy array of numbers`)
  }
  if (bytes.length < 12 || !isNpy(bytes)) fail(`${bytes.length} bytes are no .npy file`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const version = bytes[6]
  if (version < 1 || version > 3) fail(`version ${version} of the format is unknown`)
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  const start = (version === 1 ? 10 : 12) + length
  if (length > 65536 || start > bytes.length) fail('the header does not fit into the file')
  const header = new TextDecoder().decode(bytes.subarray(start - length, start)).trim()
  const { descr, fortran_order: fortran, shape: dimensions } = parseHeader(header) ?? {}
  const [, order, kind, size] = /^([<>|=])([a-zA-Z])(\d+)$/.exec(descr ?? '') ?? []
  if (/^[<>|=]?O\d*$/.test(descr ?? '')) {
    fail('it holds Python objects, which only Python can unpack; store numbers in it')
  }
  if (kind === undefined || fortran === undefined || dimensions === undefined) {
    return fail(`the header is ${showValue(header)}`)
  }
  const type = TYPES[kind + size]
  if (!type) return fail(`numbers are of type ${kind}${size}`)
  const shape = dimensions
    .split(/[\sL,]+/)
    .filter(Boolean)
    .map(Number)
  const count = shape.reduce((product, n) => product * n, 1)
  const [width, read] = type
  if (!Number.isSafeInteger(count) || shape.length > 8 || start + count * width > bytes.length) {
    fail(`[${shape.join(', ')}] numbers of ${width} bytes do not fit into ${bytes.length - start}`)
  }
  const wide = kind === 'f' && width === 8 ? 8 : 4
  if (count * wide > most) fail(`[${shape.join(', ')}] numbers take ${count * wide} bytes, more than ${most}`)
  const data =
    kind === 'f' ? (width === 8 ? new Float64Array(count) : new Float32Array(count)) : new Int32Array(count)
  const little = order !== '>'
  const place = fortran === 'True' ? columnMajor(shape) : undefined
  for (let i = 0; i < count; i++) {
    const value = read(view, start + (place ? place() : i) * width, little)
    data[i] = value
    if (kind !== 'f' && data[i] !== value) fail(`${value} is no whole number of 32 bits`)
  }
  return { shape, data }
}

/** Where the numbers lie in a file that has columns first, in the order of rows. */
function columnMajor(shape: readonly number[]): () => number {
  const index = shape.map(() => 0)
  return () => {
    let at = 0
    for (let axis = shape.length - 1; axis >= 0; axis--) at = at * shape[axis] + index[axis]
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0
    return at
  }
}
