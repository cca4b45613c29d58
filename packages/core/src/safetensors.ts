import { ModelFormatError, ValueError } from './errors.js'
import { numberTypes, typeOfArray, type SafetensorsData, type SafetensorsType } from './safetensors-types.js'
import { showValue } from './show-value.js'

export type { SafetensorsData, SafetensorsType } from './safetensors-types.js'

/** One named tensor. */
export interface SafetensorsEntry {
  shape: readonly number[]
  /** Reading it throws a `ModelFormatError` where the file stores numbers that facekit can't read, such as F8_E4M3. */
  readonly data: SafetensorsData
  /** Type in the file. Default: that of `data`; `'F16'` and `'BF16'` store a Float32Array in half of its bytes, `'I64'` and `'U64'`
   * whole numbers of a Float64Array, `'BOOL'` a Uint8Array. */
  type?: SafetensorsType
}

/** What a safetensors file holds. */
export interface SafetensorsFile {
  metadata: Record<string, string>
  tensors: Map<string, SafetensorsEntry>
}

/** Longest header that is read: enough for 100,000 tensors, and what it becomes in memory is several times as large. */
const HEADER_LIMIT = 2 ** 24

interface HeaderEntry {
  dtype: string
  shape: number[]
  data_offsets: [number, number]
}

/** Writes tensors as one safetensors file; the same content gives the same bytes.
 *
 * @throws {ValueError} when a shape does not fit its data, or a number its type
 */
export function writeSafetensors(file: SafetensorsFile): Uint8Array<ArrayBuffer> {
  // Wide types first, so that every tensor starts at a multiple of its own size.
  const entries = [...file.tensors].map(([name, entry]) => ({
    name,
    entry,
    type: entry.type ?? typeOfArray(entry.data),
  }))
  entries.sort((a, b) => numberTypes[b.type].bytes - numberTypes[a.type].bytes)
  const header: Record<string, unknown> = { __metadata__: file.metadata }
  let offset = 0
  for (const { name, entry, type } of entries) {
    const count = entry.shape.reduce((product, size) => product * size, 1)
    if (count !== entry.data.length) {
      throw new ValueError(
        `writeSafetensors: ${name} has shape [${entry.shape.join(', ')}] but ${entry.data.length} numbers`,
      )
    }
    const end = offset + count * numberTypes[type].bytes
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
  for (const { name, entry, type } of entries) {
    const stored = numberTypes[type].encode(entry.data, `writeSafetensors: ${name}`)
    bytes.set(stored, position)
    position += stored.length
  }
  return bytes
}

function parseHeader(bytes: Uint8Array, who: string): { header: Record<string, unknown>; start: number } {
  const fail = (what: string) => new ModelFormatError(`${who}: ${what}; is it a complete .safetensors file?`)
  if (isHtml(bytes)) {
    throw new ModelFormatError(
      `${who}: expected a .safetensors file, got an HTML page: the server sends its fallback page for a file that it does not have; serve the file, or give its right address`,
    )
  }
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

/** Whether a file is a web page, such as servers of single-page apps send in place of a missing one. */
function isHtml(bytes: Uint8Array): boolean {
  return /^\uFEFF?\s*<(!doctype|!--|html)/i.test(new TextDecoder().decode(bytes.subarray(0, 64)))
}

function isHeaderEntry(value: unknown): value is HeaderEntry {
  const entry = value as HeaderEntry
  const wholes = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((item) => Number.isSafeInteger(item) && item >= 0)
  return (
    typeof entry === 'object' &&
    entry !== null &&
    // A name in the format's manner: types that are younger than this reader are no damage.
    typeof entry.dtype === 'string' &&
    /^[A-Z]{1,4}\d*(_[A-Z0-9]+)?$/.test(entry.dtype) &&
    wholes(entry.shape) &&
    entry.shape.length <= 8 &&
    wholes(entry.data_offsets) &&
    entry.data_offsets.length === 2
  )
}

/** Reads a safetensors file. No code runs, and sizes are checked before memory is taken.
 *
 * Tensors of types that facekit can't read (F8, F6, F4, complex numbers, and whatever comes next) are listed; only taking their `data`
 * fails.
 *
 * @param bytes - the whole file
 * @param who - what is being read, begins the messages, e.g. `"loadMorphableModel: face.safetensors"`
 * @returns copies of the tensors; F16 and BF16 become Float32Array, I64 and U64 Float64Array, BOOL a Uint8Array of 0 and 1
 * @throws {ModelFormatError} when the file is truncated, damaged or foreign
 */
export function readSafetensors(bytes: Uint8Array, who = 'readSafetensors'): SafetensorsFile {
  const { header, start } = parseHeader(bytes, who)
  const { __metadata__: texts, ...descriptions } = header
  const entries = Object.entries(descriptions).map(([name, value]): [string, HeaderEntry] => {
    if (isHeaderEntry(value)) return [name, value]
    throw new ModelFormatError(
      `${who}: tensor ${showValue(name)} has a damaged or unknown description in the header`,
    )
  })
  assertApart(entries, who)
  const tensors = new Map<string, SafetensorsEntry>()
  for (const [name, entry] of entries)
    tensors.set(name, readEntry(bytes, start, entry, `${who}: tensor ${showValue(name)}`))
  return { metadata: readMetadata(texts), tensors }
}

/** Other values than texts, which the format does not have, as texts. */
function readMetadata(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries((value ?? {}) as object).map(([key, text]) => [
      key,
      typeof text === 'string' ? text : showValue(text),
    ]),
  )
}

/** Tensors that share bytes would together take more memory than the file has.
 *
 * @throws {ModelFormatError} that names two of them
 */
function assertApart(entries: readonly [string, HeaderEntry][], who: string): void {
  const sorted = entries
    .map(
      ([
        name,
        {
          data_offsets: [begin, end],
        },
      ]) => ({ name, begin, end }),
    )
    .filter(({ begin, end }) => end > begin)
    .sort((a, b) => a.begin - b.begin)
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i].begin >= sorted[i - 1].end) continue
    throw new ModelFormatError(
      `${who}: tensors ${showValue(sorted[i - 1].name)} and ${showValue(sorted[i].name)} share bytes; the file is damaged`,
    )
  }
}

function readEntry(
  bytes: Uint8Array,
  start: number,
  { dtype, shape, data_offsets: [begin, end] }: HeaderEntry,
  who: string,
): SafetensorsEntry {
  const type = isNumberType(dtype) ? dtype : undefined
  const count = shape.reduce((product, size) => product * size, 1)
  const length = type ? count * numberTypes[type].bytes : end - begin
  if (end - begin !== length || length < 0 || start + end > bytes.length) {
    throw new ModelFormatError(
      `${who} needs ${length} bytes at ${begin}, the file has ${Math.max(0, bytes.length - start - begin)}; the file is truncated or damaged`,
    )
  }
  const unreadable = (what: string) => ({
    shape,
    get data(): never {
      throw new ModelFormatError(`${who} ${what}; store it as F32, F16 or I32`)
    },
  })
  if (!type) return unreadable(`is of type ${dtype}, which facekit can't read`)
  // A copy: its start is aligned for the number type, and it does not keep the whole file alive.
  // (The plain constructor: the slice of a Node Buffer, which readFile gives, would be a view of the whole file.)
  const data = numberTypes[type].decode(new Uint8Array(bytes.subarray(start + begin, start + end)).buffer)
  return data
    ? { shape, data, type }
    : unreadable('holds whole numbers beyond 2^53, which no number of JavaScript can hold')
}

const isNumberType = (name: string): name is SafetensorsType => Object.hasOwn(numberTypes, name)
