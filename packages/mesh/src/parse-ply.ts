import { ModelFormatError, showValue } from '@facekit/core'

/** What a PLY file holds of a mesh. */
export interface PlyMesh {
  /** `[N * 3]` */
  positions: Float64Array
  /** Vertices of each polygon; none in a cloud of points. */
  polygons: number[][]
}

type Read = (view: DataView, at: number, little: boolean) => number

/** Bytes and reader of each type, by both of its names. */
const TYPES = new Map<string, [number, Read]>()
for (const [names, size, read] of [
  ['char int8', 1, (view, at) => view.getInt8(at)],
  ['uchar uint8', 1, (view, at) => view.getUint8(at)],
  ['short int16', 2, (view, at, little) => view.getInt16(at, little)],
  ['ushort uint16', 2, (view, at, little) => view.getUint16(at, little)],
  ['int int32', 4, (view, at, little) => view.getInt32(at, little)],
  ['uint uint32', 4, (view, at, little) => view.getUint32(at, little)],
  ['float float32', 4, (view, at, little) => view.getFloat32(at, little)],
  ['double float64', 8, (view, at, little) => view.getFloat64(at, little)],
] as [string, number, Read][]) {
  for (const name of names.split(' ')) TYPES.set(name, [size, read])
}

interface Property {
  name: string
  type: string
  /** Type of the length, of lists. */
  count?: string
}

interface Element {
  name: string
  count: number
  properties: Property[]
}

interface Header {
  format: string
  elements: Element[]
  /** First byte of the data. */
  start: number
}

/** Reads vertices and polygons of a PLY file: ASCII, or binary of either byte order; other elements and properties are passed over.
 *
 * @param who - begins the messages
 * @throws {ModelFormatError} when the file is damaged, cut short, or is no PLY file
 */
export function parsePly(bytes: Uint8Array, who: string): PlyMesh {
  const header = parseHeader(bytes, who)
  const fail = (what: string) => new ModelFormatError(`${who}: ${what}; the file is damaged or cut short`)
  const next = header.format === 'ascii' ? asciiNumbers(bytes, header.start) : binaryNumbers(bytes, header)
  const positions: number[] = []
  const polygons: number[][] = []
  for (const { name, count, properties } of header.elements) {
    // Each row has a byte at least; a count alone costs nothing, and would be worked through for hours.
    if (count > bytes.length) throw fail(`${count} of ${name} do not fit into ${bytes.length} bytes`)
    if (properties.length === 0) continue
    for (let row = 0; row < count; row++) {
      for (const { name: property, type, count: lengthType } of properties) {
        if (lengthType === undefined) {
          const value = next(type)
          const axis = name === 'vertex' ? ['x', 'y', 'z'].indexOf(property) : -1
          if (value === undefined) throw fail(`${name} ${row + 1} of ${count} is missing`)
          if (axis < 0) continue
          if (!Number.isFinite(value)) throw fail(`vertex ${row + 1} is no finite number`)
          positions[row * 3 + axis] = value
          continue
        }
        const length = next(lengthType)
        if (length === undefined || !(length >= 0)) throw fail(`${name} ${row + 1} of ${count} is missing`)
        const list: number[] = []
        for (let i = 0; i < length; i++) {
          const value = next(type)
          if (value === undefined) throw fail(`${name} ${row + 1} of ${count} is cut short`)
          list.push(value)
        }
        if (name === 'face' && /^vertex_ind(ex|ices)$/.test(property)) polygons.push(list)
      }
    }
  }
  const vertices = header.elements.filter(({ name }) => name === 'vertex')
  const vertexCount = vertices[0]?.count ?? 0
  // Once each: with a name that is doubled another one is missing, and its numbers with it.
  const isPlaced = ['x', 'y', 'z'].every(
    (axis) =>
      vertices[0]?.properties.filter(({ name, count }) => name === axis && count === undefined).length === 1,
  )
  if (vertexCount === 0 || vertices.length > 1 || !isPlaced) throw fail('it has no vertices with x, y and z')
  for (const polygon of polygons) {
    const wrong = polygon.find((vertex) => !(Number.isInteger(vertex) && vertex >= 0 && vertex < vertexCount))
    if (wrong !== undefined) throw fail(`a polygon names vertex ${wrong}, there are ${vertexCount}`)
  }
  return { positions: Float64Array.from(positions), polygons }
}

function parseHeader(bytes: Uint8Array, who: string): Header {
  const text = new TextDecoder('latin1').decode(bytes.subarray(0, 65536))
  const end = /(^|\n)end_header\r?\n/.exec(text)
  if (!text.startsWith('ply') || !end)
    throw new ModelFormatError(`${who}: its header is missing, expected a PLY file`)
  const elements: Element[] = []
  let format = ''
  for (const line of text.slice(0, end.index).split(/\r?\n/)) {
    const [word, ...rest] = line.trim().split(/\s+/)
    if (word === 'format') format = rest[0]
    else if (word === 'element') elements.push({ name: rest[0], count: Number(rest[1]), properties: [] })
    else if (word === 'property') {
      const isList = rest[0] === 'list'
      const property: Property = isList
        ? { count: rest[1], type: rest[2], name: rest[3] }
        : { type: rest[0], name: rest[1] }
      const isKnown = TYPES.has(property.type) && (!isList || TYPES.has(property.count ?? ''))
      if (!isKnown || property.name === undefined || elements.length === 0)
        throw new ModelFormatError(
          `${who}: its header has a line ${showValue(line.trim())}, expected types of PLY`,
        )
      elements.at(-1)!.properties.push(property)
    }
  }
  if (!['ascii', 'binary_little_endian', 'binary_big_endian'].includes(format))
    throw new ModelFormatError(`${who}: its format is "${format}", expected ascii or binary`)
  if (elements.some(({ count }) => !Number.isSafeInteger(count) || count < 0))
    throw new ModelFormatError(`${who}: its header has an element without a count`)
  return { format, elements, start: end.index + end[0].length }
}

function asciiNumbers(bytes: Uint8Array, start: number): (type: string) => number | undefined {
  const text = new TextDecoder('latin1').decode(bytes.subarray(start))
  const words = /\S+/g
  return () => {
    const word = words.exec(text)
    return word ? Number(word[0]) : undefined
  }
}

function binaryNumbers(bytes: Uint8Array, { format, start }: Header): (type: string) => number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const little = format === 'binary_little_endian'
  let at = start
  return (type) => {
    const [size, read] = TYPES.get(type)!
    if (at + size > bytes.length) return undefined
    const value = read(view, at, little)
    at += size
    return value
  }
}
