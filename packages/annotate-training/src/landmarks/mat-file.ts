import { AnnotationError } from '@facekit/core'

/** An array of numbers in a MAT-file. */
export interface MatArray {
  shape: number[]
  /** Column by column, as Matlab has them. */
  data: Float64Array
}

/** Bytes of a compressed variable once inflated; the files of 300W-LP have a few kilobytes. */
const LARGEST = 2 ** 26

const COMPRESSED = 15
const MATRIX = 14
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

/** Reads the real arrays of numbers of a MAT-file of level 5 (Matlab 5 to 7.2), compressed or not.
 *
 * Of "MAT-File Format" (MathWorks). Other things (text, cells, structures, sparse and complex arrays) are passed over. The readers that npm has are
 * under the GPL, or long left alone.
 *
 * @param who - begins the messages
 * @throws {AnnotationError} when it is no such file, or damaged
 */
export async function readMatFile(bytes: Uint8Array, who = 'readMatFile'): Promise<Map<string, MatArray>> {
  const fail = (what: string, cause?: unknown) =>
    new AnnotationError(`${who}: ${what}, expected a MAT-file of level 5 (Matlab 5 to 7.2)`, { cause })
  const mark = bytes.length < 128 ? '' : String.fromCharCode(bytes[126], bytes[127])
  if (mark !== 'IM' && mark !== 'MI') throw fail('its header is missing')
  const little = mark === 'IM'
  const result = new Map<string, MatArray>()
  try {
    for (const element of elements(bytes.subarray(128), little)) {
      let matrix = element
      if (element.type === COMPRESSED) [matrix] = elements(await inflate(element.data), little)
      if (matrix?.type !== MATRIX) continue
      const read = readMatrix(matrix.data, little)
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
function elements(bytes: Uint8Array, little: boolean): Element[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found: Element[] = []
  let at = 0
  while (at + 8 <= bytes.length) {
    const first = view.getUint32(at, little)
    // Up to four bytes are packed into the tag.
    const small = first >>> 16 !== 0
    const type = small ? first & 0xffff : first
    const length = small ? first >>> 16 : view.getUint32(at + 4, little)
    const start = at + (small ? 4 : 8)
    if ((small && length > 4) || start + length > bytes.length) throw new Error('a part is cut off')
    found.push({ type, data: bytes.subarray(start, start + length) })
    // All but compressed parts are filled up to whole eights.
    at = small ? at + 8 : type === COMPRESSED ? start + length : start + 8 * Math.ceil(length / 8)
  }
  return found
}

function readMatrix(bytes: Uint8Array, little: boolean): { name: string; array: MatArray } | undefined {
  const [flags, dimensions, name, real, imaginary] = elements(bytes, little)
  if (!flags || !dimensions) throw new Error('a variable has no shape')
  const kind = readNumbers(flags, little)[0] & 0xff
  // Classes 6 to 15: double, single and the whole numbers.
  if (kind < 6 || kind > 15 || imaginary !== undefined || name === undefined) return undefined
  const shape = readNumbers(dimensions, little)
  const data = Float64Array.from(real ? readNumbers(real, little) : [])
  if (data.length !== shape.reduce((product, size) => product * size, 1)) {
    throw new Error(`[${shape.join(', ')}] has ${data.length} numbers`)
  }
  return { name: String.fromCharCode(...name.data), array: { shape, data } }
}

function readNumbers({ type, data }: Element, little: boolean): number[] {
  const known = TYPES[type]
  if (!known) throw new Error(`numbers of type ${type}`)
  const [size, read] = known
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  return Array.from({ length: Math.floor(data.length / size) }, (_, i) => read(view, i * size, little))
}

async function inflate(bytes: Uint8Array): Promise<Uint8Array> {
  const reader = new Blob([new Uint8Array(bytes)])
    .stream()
    .pipeThrough(new DecompressionStream('deflate'))
    .getReader()
  const parts: Uint8Array[] = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    length += value.length
    if (length > LARGEST) throw new Error(`more than ${LARGEST} bytes`)
    parts.push(value)
  }
  const all = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
