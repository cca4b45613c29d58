/** Numbers as numpy packs them. */
export interface PackedNumbers {
  bytes: Uint8Array
  /** Where they begin. */
  start: number
  /** numpy's name without the order, e.g. `f8`. */
  type: string
  bigEndian: boolean
  shape: readonly number[]
  /** Columns first, as in Fortran. */
  columnMajor: boolean
}

/** Types that are read: floats, whole numbers, booleans; no objects, which would need Python. */
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

/** Unpacks numbers, rows first.
 *
 * @param most - bytes that they may take, once they are of a type that is worked with
 * @param fail - throws an error that says what is wrong
 */
export function unpackNumbers(
  { bytes, start, type, bigEndian, shape, columnMajor: isColumnMajor }: PackedNumbers,
  most: number,
  fail: (what: string) => never,
): Float32Array | Float64Array | Int32Array {
  const known = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined
  if (!known) return fail(`numbers are of type ${type}`)
  const [width, read] = known
  const count = shape.reduce((product, n) => product * n, 1)
  if (!Number.isSafeInteger(count) || shape.length > 8 || start + count * width > bytes.length)
    fail(`[${shape.join(', ')}] numbers of ${width} bytes do not fit into ${bytes.length - start}`)
  const isFloat = type.startsWith('f')
  const wide = isFloat && width === 8 ? 8 : 4
  if (count * wide > most) fail(`[${shape.join(', ')}] numbers take ${count * wide} bytes, more than ${most}`)
  const data = isFloat
    ? width === 8
      ? new Float64Array(count)
      : new Float32Array(count)
    : new Int32Array(count)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const place = isColumnMajor ? columnMajor(shape) : undefined
  for (let i = 0; i < count; i++) {
    const value = read(view, start + (place ? place() : i) * width, !bigEndian)
    data[i] = value
    if (!isFloat && data[i] !== value) fail(`${value} is no whole number of 32 bits`)
  }
  return data
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
