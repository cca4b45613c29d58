import { ShapeError } from '@facekit/core'
import { zipSync } from 'fflate'
import { zipDate } from './zip-date.js'

/** An array of an `.npz` file. */
export interface NpzArray {
  shape: readonly number[]
  /** Row by row. */
  data: Float32Array | Float64Array | Int32Array | Uint8Array
}

const TYPES = new Map<Function, string>([
  [Float32Array, '<f4'],
  [Float64Array, '<f8'],
  [Int32Array, '<i4'],
  [Uint8Array, '|u1'],
])

/** Encodes arrays as `.npz`, which `numpy.load` reads (format 1.0 of NumPy's NEP 1). The same arrays give the same bytes.
 *
 * @throws {ShapeError} when an array has another number of numbers than its shape says
 * @example
 * await writeFile('track.npz', encodeNpz({ times: { shape: [2], data: Float32Array.of(0, 0.04) } }))
 */
export function encodeNpz(arrays: Readonly<Record<string, NpzArray>>): Uint8Array {
  const files = Object.entries(arrays).map(([name, array]) => [`${name}.npy`, encodeNpy(name, array)])
  return zipSync(Object.fromEntries(files) as Record<string, Uint8Array>, { mtime: zipDate })
}

function encodeNpy(name: string, { shape, data }: NpzArray): Uint8Array {
  const size = shape.reduce((product, length) => product * length, 1)
  if (size !== data.length)
    throw new ShapeError(
      `encodeNpz: ${name} has ${data.length} numbers, expected ${size} for [${shape.join(', ')}]`,
    )
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const text = `{'descr': '${TYPES.get(data.constructor)}', 'fortran_order': False, 'shape': ${tuple}, }`
  // Magic, version and length of the header take ten bytes; the whole is a multiple of 64.
  const length = Math.ceil((10 + text.length + 1) / 64) * 64
  const header = new TextEncoder().encode(`${text.padEnd(length - 11)}\n`)
  const bytes = new Uint8Array(length + data.byteLength)
  bytes.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, header.length & 255, header.length >> 8])
  bytes.set(header, 10)
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), length)
  return bytes
}
