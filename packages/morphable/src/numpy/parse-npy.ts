import { ModelFormatError, showValue } from '@facekit/core'
import { memoryLimit } from '../readers/memory-limit.js'
import { unpackNumbers } from './packed-numbers.js'

/** An array of an .npy file. */
export interface NpyArray {
  shape: number[]
  /** Row-major, whatever the file has. */
  data: Float32Array | Float64Array | Int32Array
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]

/** Whether bytes begin like an .npy file. */
export const isNpy = (bytes: Uint8Array) => MAGIC.every((value, i) => bytes[i] === value)

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
  const shape = dimensions
    .split(/[\sL,]+/)
    .filter(Boolean)
    .map(Number)
  const columnMajor = fortran === 'True'
  const packed = { bytes, start, type: kind + size, bigEndian: order === '>', shape, columnMajor }
  return { shape, data: unpackNumbers(packed, most, fail) }
}
