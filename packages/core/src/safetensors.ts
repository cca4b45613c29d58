import { Float16Array } from '@petamoriken/float16'
import { ModelFormatError, ValueError } from './errors.js'

/** Number types of a safetensors file that facekit reads and writes. */
export type SafetensorsType = 'F64' | 'F32' | 'F16' | 'I32' | 'U32' | 'I16' | 'U16' | 'I8' | 'U8'

/** Arrays that hold a tensor of a safetensors file; F16 is widened to Float32Array. */
export type SafetensorsData =
  | Float64Array
  | Float32Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array

/** One named tensor. */
export interface SafetensorsEntry {
  shape: readonly number[]
  data: SafetensorsData
  /** Type in the file. Default: that of `data`; `'F16'` stores a Float32Array in half precision. */
  type?: SafetensorsType
}

/** What a safetensors file holds. */
export interface SafetensorsFile {
  metadata: Record<string, string>
  tensors: Map<string, SafetensorsEntry>
}

const TYPES = {
  F64: { bytes: 8, array: Float64Array },
  F32: { bytes: 4, array: Float32Array },
  F16: { bytes: 2, array: Float16Array },
  I32: { bytes: 4, array: Int32Array },
  U32: { bytes: 4, array: Uint32Array },
  I16: { bytes: 2, array: Int16Array },
  U16: { bytes: 2, array: Uint16Array },
  I8: { bytes: 1, array: Int8Array },
  U8: { bytes: 1, array: Uint8Array },
} as const

/** Longest header that is read; the reference implementation has the same bound. */
const HEADER_LIMIT = 100_000_000

interface HeaderEntry {
  dtype: SafetensorsType
  shape: number[]
  data_offsets: [number, number]
}

function typeOf(data: SafetensorsData): SafetensorsType {
  for (const [name, { array }] of Object.entries(TYPES)) {
    if (name !== 'F16' && data instanceof (array as unknown as typeof Float32Array))
      return name as SafetensorsType
  }
  throw new ValueError(
    `writeSafetensors: cannot store a ${Object.prototype.toString.call(data)}; use a typed array`,
  )
}

/** Writes tensors as one safetensors file; the same content gives the same bytes.
 *
 * @throws {ValueError} when a shape does not fit its data
 */
export function writeSafetensors(file: SafetensorsFile): Uint8Array<ArrayBuffer> {
  // Wide types first, so that every tensor starts at a multiple of its own size.
  const entries = [...file.tensors].map(([name, entry]) => ({
    name,
    entry,
    type: entry.type ?? typeOf(entry.data),
  }))
  entries.sort((a, b) => TYPES[b.type].bytes - TYPES[a.type].bytes)
  const header: Record<string, unknown> = { __metadata__: file.metadata }
  let offset = 0
  for (const { name, entry, type } of entries) {
    const count = entry.shape.reduce((product, size) => product * size, 1)
    if (count !== entry.data.length) {
      throw new ValueError(
        `writeSafetensors: ${name} has shape [${entry.shape.join(', ')}] but ${entry.data.length} numbers`,
      )
    }
    const end = offset + count * TYPES[type].bytes
    header[name] = { dtype: type, shape: entry.shape, data_offsets: [offset, end] }
    offset = end
  }
  let json = JSON.stringify(header)
  const length = new TextEncoder().encode(json).length
  json += ' '.repeat((8 - (length % 8)) % 8)
  const headerBytes = new TextEncoder().encode(json)
  const bytes = new Uint8Array(8 + headerBytes.length + offset)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes.length), true)
  bytes.set(headerBytes, 8)
  let position = 8 + headerBytes.length
  for (const { entry, type } of entries) {
    const stored = TYPES[type].array.from(entry.data as unknown as number[])
    const view = new Uint8Array(stored.buffer as ArrayBuffer, stored.byteOffset, stored.byteLength)
    bytes.set(view, position)
    position += view.length
  }
  return bytes
}

function parseHeader(bytes: Uint8Array, who: string): { header: Record<string, unknown>; start: number } {
  const fail = (what: string) => new ModelFormatError(`${who}: ${what}; is it a complete .safetensors file?`)
  if (bytes.length < 8) throw fail(`${bytes.length} bytes are no safetensors file`)
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true)
  if (length > BigInt(HEADER_LIMIT) || Number(length) + 8 > bytes.length) {
    throw fail(`a header of ${length} bytes does not fit into a file of ${bytes.length}`)
  }
  const start = 8 + Number(length)
  try {
    const header: unknown = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, start)),
    )
    if (typeof header !== 'object' || header === null || Array.isArray(header)) throw new Error('no object')
    return { header: header as Record<string, unknown>, start }
  } catch {
    throw fail('the header is no JSON object')
  }
}

function isHeaderEntry(value: unknown): value is HeaderEntry {
  const entry = value as HeaderEntry
  const wholes = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((item) => Number.isSafeInteger(item) && item >= 0)
  return (
    typeof entry === 'object' &&
    entry !== null &&
    Object.hasOwn(TYPES, entry.dtype) &&
    wholes(entry.shape) &&
    entry.shape.length <= 8 &&
    wholes(entry.data_offsets) &&
    entry.data_offsets.length === 2
  )
}

let halves: Float32Array | undefined

/** Numbers of half precision by their bits: a table is thirty times as fast as reading them one by one. */
function widened(bits: Uint16Array): Float32Array {
  halves ??= Float32Array.from(
    new Float16Array(Uint16Array.from({ length: 65_536 }, (_, i) => i).buffer) as Iterable<number>,
  )
  const result = new Float32Array(bits.length)
  for (let i = 0; i < bits.length; i++) result[i] = halves[bits[i]]
  return result
}

/** Reads a safetensors file. No code runs, and sizes are checked before memory is taken.
 *
 * @param bytes - the whole file
 * @param who - what is being read, begins the messages, e.g. `"loadMorphableModel: face.safetensors"`
 * @returns views or copies of the tensors; F16 becomes Float32Array
 * @throws {ModelFormatError} when the file is truncated, damaged or foreign
 */
export function readSafetensors(bytes: Uint8Array, who = 'readSafetensors'): SafetensorsFile {
  const { header, start } = parseHeader(bytes, who)
  const metadata: Record<string, string> = {}
  const tensors = new Map<string, SafetensorsEntry>()
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') {
      for (const [key, text] of Object.entries((value ?? {}) as object)) metadata[key] = String(text)
      continue
    }
    if (!isHeaderEntry(value)) {
      throw new ModelFormatError(
        `${who}: tensor "${name}" has a damaged or unknown description in the header`,
      )
    }
    const { bytes: width, array } = TYPES[value.dtype]
    const [begin, end] = value.data_offsets
    const count = value.shape.reduce((product, size) => product * size, 1)
    if (end - begin !== count * width || start + end > bytes.length) {
      throw new ModelFormatError(
        `${who}: tensor "${name}" needs ${count * width} bytes at ${begin}, the file has ${Math.max(0, bytes.length - start - begin)}; the file is truncated or damaged`,
      )
    }
    // A copy: its start is aligned for the number type, and it does not keep the whole file alive.
    // (The plain method: that of a Node Buffer, which readFile gives, would be a view of the whole file.)
    const raw = Uint8Array.prototype.slice.call(bytes, start + begin, start + end).buffer
    const data =
      value.dtype === 'F16'
        ? widened(new Uint16Array(raw as ArrayBuffer))
        : new (array as typeof Float32Array)(raw)
    tensors.set(name, { shape: value.shape, data: data as SafetensorsData, type: value.dtype })
  }
  return { metadata, tensors }
}
