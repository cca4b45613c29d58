import { deflateSync } from 'node:zlib'

/** A variable of a MAT-file. */
export interface MatVariable {
  name: string
  shape: readonly [number, number]
  /** Column by column. */
  values: ArrayLike<number>
  /** Stored in single precision. */
  single?: boolean
}

/** Bytes of a MAT-file of level 5 (Matlab 5 to 7.2). */
export function encodeMatFile(
  variables: readonly MatVariable[],
  { compressed = true, little = true } = {},
): Uint8Array {
  const header = Buffer.alloc(128, ' ')
  header.write('MATLAB 5.0 MAT-file, for a test')
  header.set(little ? [0, 1] : [1, 0], 124)
  header.write(little ? 'IM' : 'MI', 126)
  const number = (value: number) => {
    const bytes = Buffer.alloc(4)
    if (little) bytes.writeUInt32LE(value)
    else bytes.writeUInt32BE(value)
    return bytes
  }
  const part = (type: number, data: Buffer) =>
    Buffer.concat([number(type), number(data.length), data, Buffer.alloc((8 - (data.length % 8)) % 8)])
  const parts = variables.map(({ name, shape, values, single }) => {
    const size = single ? 4 : 8
    const data = Buffer.alloc(size * values.length)
    const view = new DataView(data.buffer, data.byteOffset)
    for (let i = 0; i < values.length; i++) {
      if (single) view.setFloat32(4 * i, values[i], little)
      else view.setFloat64(8 * i, values[i], little)
    }
    // Names of up to four letters are packed into their tag.
    const text = Buffer.from(name)
    const named =
      text.length <= 4
        ? Buffer.concat([number((text.length << 16) | 1), text, Buffer.alloc(4 - text.length)])
        : part(1, text)
    const matrix = part(
      14,
      Buffer.concat([
        part(6, Buffer.concat([number(single ? 7 : 6), number(0)])),
        part(5, Buffer.concat(shape.map(number))),
        named,
        part(single ? 7 : 9, data),
      ]),
    )
    if (!compressed) return matrix
    const packed = deflateSync(matrix)
    return Buffer.concat([number(15), number(packed.length), packed])
  })
  return new Uint8Array(Buffer.concat([header, ...parts]))
}
