// How numbers are stored in an HDF5 file. The library says only class, size and sign, and hands out the stored bytes: enough for
// float32 or int16, not for float16, long double, or integers of fewer bits than their storage. The rest is read here, from the
// header of the object ("HDF5 File Format Specification", version 3: IV.A, object headers; IV.A.2.d, datatypes). Plain JavaScript, because it
// runs where hdf5-access.js does.

const DATATYPE = 3
const ATTRIBUTE = 12
const CONTINUATION = 16
const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]
/** Most messages that are looked at in one header; a damaged one may run in circles. */
const MOST_MESSAGES = 10_000

/** Where the contents of a file begin: behind its user block, which has 0, 512, 1024, 2048, ... bytes. -1 where there is no HDF5.
 *
 * @param {(position: number, length: number) => Uint8Array} readAt - may give fewer bytes at the end
 * @param {number} size - bytes that there are
 */
export function findSuperblock(readAt, size) {
  for (let at = 0; at + 8 <= size; at = at === 0 ? 512 : at * 2) {
    const found = readAt(at, 8)
    if (SIGNATURE.every((value, i) => found[i] === value)) return at
  }
  return -1
}

/** Number types of one object: of a dataset, and of its attributes by name. What is no number, or cannot be found, is missing.
 *
 * @param {(position: number, length: number) => Uint8Array} readAt
 * @param {number} base - of `findSuperblock`
 * @param {number} address - of the object's header, from `base`
 */
export function readNumberTypes(readAt, base, address) {
  const types = { attributes: {} }
  for (const { type, shared, data } of messages(readAt, base, address)) {
    if (type === DATATYPE) types.dataset = shared ? sharedType(readAt, base, data) : parseType(data)
    if (type === ATTRIBUTE) {
      const { name, number } = parseAttribute(readAt, base, data)
      types.attributes[name] = number
    }
  }
  return types
}

const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const addressAt = (view, at) => Number(view.getBigUint64(at, true))

/** The messages of an object header, of version 1 or 2. */
function* messages(readAt, base, address) {
  const start = viewOf(readAt(base + address, 64))
  const isNew = start.getUint32(0, true) === 0x5244484f // OHDR
  let blocks
  let ordered = false
  if (isNew) {
    const flags = start.getUint8(5)
    ordered = (flags & 4) !== 0
    const at = 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0)
    const width = 1 << (flags & 3)
    let length = 0
    for (let i = width - 1; i >= 0; i--) length = length * 256 + start.getUint8(at + i)
    blocks = [[address + at + width, length]]
  } else {
    blocks = [[address + 16, start.getUint32(8, true)]]
  }
  const head = isNew ? (ordered ? 6 : 4) : 8
  let count = 0
  for (let block = blocks.shift(); block; block = blocks.shift()) {
    const bytes = readAt(base + block[0], block[1])
    const view = viewOf(bytes)
    for (let at = 0; at + head <= bytes.length && count < MOST_MESSAGES; count++) {
      const type = isNew ? view.getUint8(at) : view.getUint16(at, true)
      const size = view.getUint16(at + (isNew ? 1 : 2), true)
      const flags = view.getUint8(at + (isNew ? 3 : 4))
      const data = bytes.subarray(at + head, at + head + size)
      if (type === CONTINUATION && data.length >= 16) {
        const inner = viewOf(data)
        // Blocks of version 2 begin with a signature and end with a checksum.
        blocks.push([addressAt(inner, 0) + (isNew ? 4 : 0), addressAt(inner, 8) - (isNew ? 8 : 0)])
      }
      yield { type, shared: (flags & 2) !== 0, data }
      at += head + size
    }
  }
}

/** A type that is an object of its own. */
function sharedType(readAt, base, data) {
  const view = viewOf(data)
  const address = addressAt(view, data[0] === 1 ? 8 : 2)
  for (const { type, shared, data: inner } of messages(readAt, base, address)) {
    if (type === DATATYPE && !shared) return parseType(inner)
  }
  return undefined
}

function parseAttribute(readAt, base, data) {
  const view = viewOf(data)
  const version = data[0]
  const nameSize = view.getUint16(2, true)
  const start = version === 3 ? 9 : 8
  const padded = version === 1 ? 8 * Math.ceil(nameSize / 8) : nameSize
  const name = new TextDecoder().decode(data.subarray(start, start + nameSize)).replace(/\0+$/, '')
  const type = data.subarray(start + padded)
  const isShared = version > 1 && (data[1] & 1) !== 0
  return { name, number: isShared ? sharedType(readAt, base, type) : parseType(type) }
}

/** A datatype message; undefined where it is no number. */
function parseType(data) {
  const view = viewOf(data)
  const kind = data[0] & 15
  if (kind > 1) return undefined
  const common = {
    bytes: view.getUint32(4, true),
    offset: view.getUint16(8, true),
    precision: view.getUint16(10, true),
  }
  if (kind === 0) return { ...common, kind: 'integer', signed: (data[1] & 8) !== 0 }
  return {
    ...common,
    kind: 'float',
    /** 2: the highest bit of the mantissa is set and not stored; else it is stored. */
    normalization: (data[1] >> 4) & 3,
    sign: data[2],
    exponent: data[12],
    exponentBits: data[13],
    mantissa: data[14],
    mantissaBits: data[15],
    bias: view.getUint32(16, true),
  }
}

/** Whether a typed array reads these numbers right. */
function isPlain(type) {
  const { kind, bytes, offset, precision } = type
  if (offset !== 0 || precision !== bytes * 8) return false
  if (kind === 'integer') return [1, 2, 4, 8].includes(bytes)
  const { exponentBits, mantissaBits, bias, normalization, exponent, mantissa } = type
  const [bits, fraction] = bytes === 4 ? [8, 23] : [11, 52]
  return (
    (bytes === 4 || bytes === 8) &&
    exponentBits === bits &&
    mantissaBits === fraction &&
    bias === 2 ** (bits - 1) - 1 &&
    normalization === 2 &&
    mantissa === 0 &&
    exponent === fraction
  )
}

/** Stored numbers, little-endian, as a typed array.
 *
 * @param {Uint8Array} raw - aligned to 8
 * @param {object} type - of `readNumberTypes`
 */
export function decodeNumbers(raw, type) {
  const { bytes, kind, signed } = type
  if (isPlain(type)) {
    const arrays = signed
      ? { 1: Int8Array, 2: Int16Array, 4: Int32Array, 8: BigInt64Array }
      : { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array }
    const array = kind === 'float' ? { 4: Float32Array, 8: Float64Array }[bytes] : arrays[bytes]
    return new array(raw.buffer, raw.byteOffset, raw.length / bytes)
  }
  const count = Math.floor(raw.length / bytes)
  const result = new Float64Array(count)
  const decode = kind === 'float' ? decodeFloat : decodeInteger
  if (bytes === 2) {
    // Bases of half precision have millions of numbers, but only so many different ones.
    const table = Float64Array.from({ length: 65_536 }, (_, bits) => decode(BigInt(bits), type))
    for (let i = 0; i < count; i++) result[i] = table[raw[2 * i] | (raw[2 * i + 1] << 8)]
    return result
  }
  for (let i = 0; i < count; i++) {
    let bits = 0n
    for (let byte = bytes - 1; byte >= 0; byte--) bits = (bits << 8n) | BigInt(raw[i * bytes + byte])
    result[i] = decode(bits, type)
  }
  return result
}

const field = (bits, at, width) => BigInt.asUintN(width, bits >> BigInt(at))

function decodeInteger(bits, { offset, precision, signed }) {
  const value = field(bits, offset, precision)
  return Number(signed ? BigInt.asIntN(precision, value) : value)
}

function decodeFloat(bits, type) {
  const { sign, exponent, exponentBits, mantissa, mantissaBits, bias, normalization } = type
  const fraction = field(bits, mantissa, mantissaBits)
  const power = Number(field(bits, exponent, exponentBits))
  const factor = field(bits, sign, 1) === 1n ? -1 : 1
  // Digits behind the point: IEEE's formats do not store the one before it, long double does.
  const shown = normalization === 2 ? mantissaBits : mantissaBits - 1
  if (power === 2 ** exponentBits - 1) {
    return BigInt.asUintN(shown, fraction) === 0n ? factor * Infinity : Number.NaN
  }
  const isSmall = normalization === 2 && power === 0
  const whole = normalization === 2 && !isSmall ? fraction | (1n << BigInt(mantissaBits)) : fraction
  const scale = (power === 0 ? 1 : power) - bias - shown
  // In two steps, since 2^scale alone may be 0 or infinite.
  const half = Math.trunc(scale / 2)
  return factor * Number(whole) * 2 ** half * 2 ** (scale - half)
}
