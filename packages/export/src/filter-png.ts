import { unzlibSync, zlibSync } from 'fflate'

/** Bytes of a PNG's signature and IHDR chunk. */
const HEADER = 33
/** Level 6 takes twice as long for a file that is 5 % smaller. */
const LEVEL = 4
/** The filter's number. */
const PAETH = 4
/** The letters IDAT and IEND. */
const [DATA, END] = [0x49444154, 0x49454e44]

/** Filters the rows of a PNG whose rows are not filtered: photographs and maps become about half as large. Texts and other chunks move in front of the
 * pixels, so that the beginning of a file tells whose it is.
 *
 * @param png - as an encoder without filters writes it, best uncompressed; no palette, not interlaced
 */
export function filterPng(png: Uint8Array): Uint8Array {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength)
  const [width, height] = [view.getUint32(16), view.getUint32(20)]
  const channels = { 0: 1, 2: 3, 4: 2, 6: 4 }[png[25]]!
  const unit = (channels * png[24]) / 8
  const before: Uint8Array[] = []
  const data: Uint8Array[] = []
  for (let at = HEADER; at < png.length;) {
    const [length, type] = [view.getUint32(at), view.getUint32(at + 4)]
    if (type === DATA) data.push(png.subarray(at + 8, at + 8 + length))
    else if (type !== END) before.push(png.subarray(at, at + 12 + length))
    at += length + 12
  }
  const rows = filterRows(unzlibSync(concatenate(data)), width * unit, height, unit)
  return concatenate([
    png.subarray(0, HEADER),
    ...before,
    chunk(DATA, zlibSync(rows, { level: LEVEL })),
    chunk(END, new Uint8Array()),
  ])
}

/** Paeth's predictor for every row: choosing among the five filters row by row made maps of photographs not one per cent smaller. */
function filterRows(raw: Uint8Array, stride: number, height: number, unit: number): Uint8Array {
  const result = new Uint8Array(raw.length)
  // Behind as many zeros as a pixel has bytes, so that the first one needs no case of its own.
  let [above, row] = [new Uint8Array(unit + stride), new Uint8Array(unit + stride)]
  for (let y = 0; y < height; y++) {
    const start = y * (stride + 1)
    row.set(raw.subarray(start + 1, start + 1 + stride), unit)
    result[start] = PAETH
    for (let i = 0; i < stride; i++) {
      const left = row[i]
      const up = above[unit + i]
      const corner = above[i]
      // How far each of the three is from left + up - corner.
      const a = Math.abs(up - corner)
      const b = Math.abs(left - corner)
      const c = Math.abs(left + up - 2 * corner)
      result[start + 1 + i] = row[unit + i] - (a <= b && a <= c ? left : b <= c ? up : corner)
    }
    ;[above, row] = [row, above]
  }
  return result
}

function chunk(type: number, data: Uint8Array): Uint8Array {
  const result = new Uint8Array(data.length + 12)
  const view = new DataView(result.buffer)
  view.setUint32(0, data.length)
  view.setUint32(4, type)
  result.set(data, 8)
  view.setUint32(data.length + 8, crc32(result.subarray(4, data.length + 8)))
  return result
}

let table: Uint32Array | undefined

function crc32(bytes: Uint8Array): number {
  table ??= Uint32Array.from({ length: 256 }, (_, n) => {
    let value = n
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
    return value
  })
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ table[(crc ^ byte) & 0xff]
  return (crc ^ 0xffffffff) >>> 0
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    result.set(part, at)
    at += part.length
  }
  return result
}
