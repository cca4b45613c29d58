/** An uncompressed little-endian TIFF of three channels, samples of 32 bits.
 *
 * @param format - as the tag SampleFormat says: 1 unsigned, 2 signed, 3 floating point
 */
export function writeTiff(
  width: number,
  height: number,
  format: 1 | 2 | 3,
  values: readonly number[],
): Uint8Array {
  const samples = new DataView(new ArrayBuffer(values.length * 4))
  values.forEach((value, i) => {
    if (format === 3) samples.setFloat32(4 * i, value, true)
    else if (format === 2) samples.setInt32(4 * i, value, true)
    else samples.setUint32(4 * i, value, true)
  })
  const tags: [tag: number, type: 3 | 4, count: number, value: number][] = []
  const ifd = 8
  const count = 11
  const bits = ifd + 2 + 12 * count + 4
  const formats = bits + 6
  const pixels = formats + 6
  tags.push([256, 4, 1, width], [257, 4, 1, height], [258, 3, 3, bits], [259, 3, 1, 1], [262, 3, 1, 2])
  tags.push([273, 4, 1, pixels], [277, 3, 1, 3], [278, 4, 1, height], [279, 4, 1, samples.byteLength])
  tags.push([284, 3, 1, 1], [339, 3, 3, formats])
  const bytes = new Uint8Array(pixels + samples.byteLength)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 0x002a4949, true)
  view.setUint32(4, ifd, true)
  view.setUint16(ifd, count, true)
  tags.forEach(([tag, type, number, value], i) => {
    const at = ifd + 2 + 12 * i
    view.setUint16(at, tag, true)
    view.setUint16(at + 2, type, true)
    view.setUint32(at + 4, number, true)
    if (type === 3 && number === 1) view.setUint16(at + 8, value, true)
    else view.setUint32(at + 8, value, true)
  })
  for (let c = 0; c < 3; c++) {
    view.setUint16(bits + 2 * c, 32, true)
    view.setUint16(formats + 2 * c, format, true)
  }
  bytes.set(new Uint8Array(samples.buffer), pixels)
  return bytes
}
