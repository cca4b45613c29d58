import { Float16Array } from '@petamoriken/float16'
import { ValueError } from './errors.js'

/** Number types of a safetensors file that facekit reads and writes. */
export type SafetensorsType =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'I64'
  | 'U64'
  | 'I32'
  | 'U32'
  | 'I16'
  | 'U16'
  | 'I8'
  | 'U8'
  | 'BOOL'

/** Arrays that hold a tensor of a safetensors file: F16 and BF16 are widened to Float32Array, I64 and U64 to Float64Array. */
export type SafetensorsData =
  | Float64Array
  | Float32Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array

/** How numbers of one type are stored. */
interface NumberType {
  /** Of one number. */
  bytes: number
  /** Undefined when a number doesn't fit the array. */
  decode(bytes: ArrayBuffer): SafetensorsData | undefined
  encode(data: SafetensorsData, who: string): Uint8Array
}

interface ArrayType {
  readonly BYTES_PER_ELEMENT: number
  new (buffer: ArrayBuffer): SafetensorsData
  from(values: ArrayLike<number>): ArrayBufferView
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** Numbers that lie in the file as they lie in an array. */
const plain = (type: ArrayType): NumberType => ({
  bytes: type.BYTES_PER_ELEMENT,
  decode: (bytes) => new type(bytes),
  encode: (data) => bytesOf(type.from(data)),
})

let halves: Float32Array | undefined

/** Numbers of half precision by their bits: a table is thirty times as fast as reading them one by one. */
function widened(bytes: ArrayBuffer): Float32Array {
  halves ??= Float32Array.from(
    new Float16Array(Uint16Array.from({ length: 65_536 }, (_, i) => i).buffer) as Iterable<number>,
  )
  const bits = new Uint16Array(bytes)
  const result = new Float32Array(bits.length)
  for (let i = 0; i < bits.length; i++) result[i] = halves[bits[i]]
  return result
}

/** The upper half of float32's bits. */
function brainFloats(bytes: ArrayBuffer): Float32Array {
  const upper = new Uint16Array(bytes)
  const bits = new Uint32Array(upper.length)
  for (let i = 0; i < bits.length; i++) bits[i] = upper[i] << 16
  return new Float32Array(bits.buffer)
}

/** Rounded to the nearest, ties to even; NaN stays NaN. */
function toBrainFloats(data: SafetensorsData): Uint8Array {
  const bits = new Uint32Array(Float32Array.from(data).buffer)
  const rounded = Uint16Array.from(bits, (value, i) =>
    Number.isNaN(data[i]) ? 0x7fc0 : (value + 0x7fff + ((value >>> 16) & 1)) >>> 16,
  )
  return bytesOf(rounded)
}

const wholeNumbers = (type: BigInt64ArrayConstructor | BigUint64ArrayConstructor): NumberType => ({
  bytes: 8,
  decode(bytes) {
    // In place, by halves: numbers of type bigint would take several times the memory.
    const halves = new DataView(bytes)
    const values = new Float64Array(bytes)
    const isSigned = type === BigInt64Array
    for (let i = 0; i < values.length; i++) {
      const upper = isSigned ? halves.getInt32(8 * i + 4, true) : halves.getUint32(8 * i + 4, true)
      const value = upper * 2 ** 32 + halves.getUint32(8 * i, true)
      if (!Number.isSafeInteger(value)) return undefined
      values[i] = value
    }
    return values
  },
  encode(data, who) {
    const lowest = type === BigUint64Array ? 0 : -Infinity
    const wrong = data.find((value) => !Number.isSafeInteger(value) || value < lowest)
    if (wrong !== undefined)
      throw new ValueError(`${who} holds ${wrong}, expected whole numbers for a type of 64 bits`)
    return bytesOf(type.from(Array.from(data, BigInt)))
  },
})

// Marked pure: else bundlers keep them, and the library of halves, in programs that read no file.
/** The types by their names in the file. */
export const numberTypes: Record<SafetensorsType, NumberType> = {
  F64: /* @__PURE__ */ plain(Float64Array),
  F32: /* @__PURE__ */ plain(Float32Array),
  F16: { bytes: 2, decode: widened, encode: (data) => bytesOf(Float16Array.from(data)) },
  BF16: { bytes: 2, decode: brainFloats, encode: toBrainFloats },
  I64: /* @__PURE__ */ wholeNumbers(BigInt64Array),
  U64: /* @__PURE__ */ wholeNumbers(BigUint64Array),
  I32: /* @__PURE__ */ plain(Int32Array),
  U32: /* @__PURE__ */ plain(Uint32Array),
  I16: /* @__PURE__ */ plain(Int16Array),
  U16: /* @__PURE__ */ plain(Uint16Array),
  I8: /* @__PURE__ */ plain(Int8Array),
  U8: /* @__PURE__ */ plain(Uint8Array),
  BOOL: {
    bytes: 1,
    decode: (bytes) => new Uint8Array(bytes).map((value) => (value === 0 ? 0 : 1)),
    encode: (data) => Uint8Array.from(data, (value) => (value === 0 ? 0 : 1)),
  },
}

/** The type that stores an array as it is. */
export function typeOfArray(data: SafetensorsData): SafetensorsType {
  if (data instanceof Float64Array) return 'F64'
  if (data instanceof Float32Array) return 'F32'
  if (data instanceof Int32Array) return 'I32'
  if (data instanceof Uint32Array) return 'U32'
  if (data instanceof Int16Array) return 'I16'
  if (data instanceof Uint16Array) return 'U16'
  if (data instanceof Int8Array) return 'I8'
  if (data instanceof Uint8Array) return 'U8'
  throw new ValueError(
    `writeSafetensors: cannot store a ${Object.prototype.toString.call(data)}; use a typed array`,
  )
}
