import { ModelFormatError } from './errors.js'

/** An array of numbers in a MAT-file. */
export interface MatArray {
  shape: number[]
  /** Column by column, as Matlab has them; single precision where the file has that, or whole numbers of up to 16 bits. */
  data: Float64Array | Float32Array
}

/** Options of `readMatFile`. */
export interface MatFileOptions {
  /** Variables that are read, by name; the others are passed over. Default all. */
  wanted?: (name: string) => boolean
  /** Most bytes of one compressed variable once inflated, at most four times the file and 64 MiB more. Default 64 MiB. */
  largest?: number
}

const COMPRESSED = 15
const MATRIX = 14
const SINGLE = 7
/** What a variable may inflate to: four times the file, and as much as small files need. */
const RATIO = 4
const CONSTANT = 2 ** 26
/** Numbers by the type's code: bytes, and how to read one. */
const TYPES: Record<number, [number, (view: DataView, at: number, little: boolean) => number]> = {
  1: [1, (view, at) => view.getInt8(at)],
  2: [1, (view, at) => view.getUint8(at)],
  3: [2, (view, at, little) => view.getInt16(at, little)],
  4: [2, (view, at, little) => view.getUint16(at, little)],
  5: [4, (view, at, little) => view.getInt32(at, little)],
  6: [4, (view, at, little) => view.getUint32(at, little)],
  7: [4, (view, at, little) => view.getFloat32(at, little)],
  9: [8, (view, at, little) => view.getFloat64(at, little)],
  12: [8, (view, at, little) => Number(view.getBigInt64(at, little))],
  13: [8, (view, at, little) => Number(view.getBigUint64(at, little))],
}

const markOf = (bytes: Uint8Array) => (bytes.length < 128 ? '' : String.fromCharCode(bytes[126], bytes[127]))

/** Whether bytes begin like a MAT-file of level 5 (those of level 7.3 are HDF5). */
export function isMatFile(bytes: Uint8Array): boolean {
  const mark = markOf(bytes)
  return (mark === 'IM' && bytes[125] === 1) || (mark === 'MI' && bytes[124] === 1)
}

// Contributor notes: the readers on npm are under the GPL or unmaintained.

/** Reads the real arrays of numbers of a MAT-file of level 5 (Matlab 5 to 7.2), compressed or not.
 *
 * The layout is that of "MAT-File Format" (MathWorks). Text, cells, structures, sparse and complex arrays are passed over.
 *
 * @param who - begins the messages
 * @throws {ModelFormatError} when it is no such file, or damaged
 */
export async function readMatFile(
  bytes: Uint8Array,
  who = 'readMatFile',
  { wanted = () => true, largest = 2 ** 26 }: MatFileOptions = {},
): Promise<Map<string, MatArray>> {
  const fail = (what: string, cause?: unknown) =>
    new ModelFormatError(`${who}: ${what}, expected a MAT-file of level 5 (Matlab 5 to 7.2)`, { cause })
  if (!['IM', 'MI'].includes(markOf(bytes))) throw fail('its header is missing')
  const little = markOf(bytes) === 'IM'
  const most = Math.min(largest, RATIO * bytes.length + CONSTANT)
  const result = new Map<string, MatArray>()
  try {
    for (const element of elements(bytes.subarray(128), little)) {
      let matrix: Element | void = element
      if (element.type === COMPRESSED) [matrix] = elements(await inflate(element.data, most, little), little)
      if (matrix?.type !== MATRIX) continue
      const read = readMatrix(matrix.data, little, wanted)
      if (read) result.set(read.name, read.array)
    }
  } catch (error) {
    throw fail(`it is damaged (${error instanceof Error ? error.message : String(error)})`, error)
  }
  return result
}

interface Element {
  type: number
  data: Uint8Array
}

/** The parts of a file or of a variable, one after another. */
function* elements(bytes: Uint8Array, little: boolean): Generator<Element, void> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  while (at + 8 <= bytes.length) {
    const first = view.getUint32(at, little)
    // Up to four bytes are packed into the tag.
    const small = first >>> 16 !== 0
    const type = small ? first & 0xffff : first
    const length = small ? first >>> 16 : view.getUint32(at + 4, little)
    const start = at + (small ? 4 : 8)
    if ((small && length > 4) || start + length > bytes.length) throw new Error('a part is cut off')
    yield { type, data: bytes.subarray(start, start + length) }
    // All but compressed parts are filled up to whole eights.
    at = small ? at + 8 : type === COMPRESSED ? start + length : start + 8 * Math.ceil(length / 8)
  }
}

function readMatrix(
  bytes: Uint8Array,
  little: boolean,
  wanted: (name: string) => boolean,
): { name: string; array: MatArray } | undefined {
  const [flags, dimensions, label, real, imaginary] = elements(bytes, little)
  if (!flags || !dimensions) throw new Error('a variable has no shape')
  const kind = readNumbers(flags, little)[0] & 0xff
  // Classes 6 to 15: double, single and the whole numbers.
  if (kind < 6 || kind > 15 || imaginary !== undefined || label === undefined) return undefined
  const name = String.fromCharCode(...label.data)
  if (!wanted(name)) return undefined
  if (dimensions.data.length > 4 * MOST_DIMENSIONS) throw new Error('a variable has too many dimensions')
  const shape = Array.from(readNumbers(dimensions, little))
  const data = real ? readNumbers(real, little) : new Float64Array(0)
  if (data.length !== shape.reduce((product, size) => product * size, 1)) {
    throw new Error(`[${shape.join(', ')}] has ${data.length} numbers`)
  }
  return { name, array: { shape, data } }
}

function readNumbers({ type, data }: Element, little: boolean): MatArray['data'] {
  const known = TYPES[type]
  if (!known) throw new Error(`numbers of type ${type}`)
  const [size, read] = known
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const count = Math.floor(data.length / size)
  // Matlab stores numbers in the smallest type that holds them: small ones fit single precision.
  const result = type === SINGLE || size <= 2 ? new Float32Array(count) : new Float64Array(count)
  for (let i = 0; i < count; i++) result[i] = read(view, i * size, little)
  return result
}

/** Inflates one variable into memory of the size that its own header says. */
async function inflate(bytes: Uint8Array, most: number, little: boolean): Promise<Uint8Array> {
  const reader = new Blob([new Uint8Array(bytes)])
    .stream()
    .pipeThrough(new DecompressionStream('deflate'))
    .getReader()
  let all = new Uint8Array(HEADER)
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    for (let at = 0; at < value.length;) {
      if (length === HEADER && all.length === HEADER) {
        const inside = new DataView(all.buffer).getUint32(4, little)
        if (inside > most) throw new Error(`a variable of ${inside} bytes, more than ${most}`)
        const whole = new Uint8Array(HEADER + inside)
        whole.set(all)
        all = whole
      }
      // What follows the variable is of no use.
      const count = Math.min(all.length - length, value.length - at)
      if (count === 0) break
      all.set(value.subarray(at, at + count), length)
      length += count
      at += count
    }
    if (length === all.length && length > HEADER) {
      await reader.cancel()
      break
    }
  }
  return all.subarray(0, length)
}

/** Bytes of the type and the length of a variable. */
const HEADER = 8
const MOST_DIMENSIONS = 32
