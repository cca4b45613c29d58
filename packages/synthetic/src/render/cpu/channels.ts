/* Contributor notes
 *
 * Channels lie next to each other, and the WASM backend's Slice, Concat and GatherV2 copy such short rows one by one: 4 ms for a channel of
 * 8 pictures of 112 x 112, half of the time of a batch. These loops take a tenth. On WebGPU the stock operations are as good.
 */

/** Copies channels of rows that are `width` wide. */
export function takeArrays(
  x: Float32Array,
  part: Float32Array,
  width: number,
  first: number,
  count: number,
): void {
  if (count === 1) {
    for (let to = 0, from = first; to < part.length; to++, from += width) part[to] = x[from]
    return
  }
  for (let to = 0, from = first; to < part.length; to += count, from += width) {
    for (let c = 0; c < count; c++) part[to + c] = x[from + c]
  }
}

/** Puts rows of each part behind those of the one before. */
export function joinArrays(
  parts: readonly Float32Array[],
  widths: readonly number[],
  joined: Float32Array,
): void {
  const total = widths.reduce((sum, width) => sum + width, 0)
  let start = 0
  parts.forEach((part, i) => {
    const width = widths[i]
    for (let from = 0, to = start; from < part.length; from += width, to += total) {
      for (let c = 0; c < width; c++) joined[to + c] = part[from + c]
    }
    start += width
  })
}

/** Copies rows of a table. */
export function pickArrays(table: Float32Array, rows: Int32Array, width: number, picked: Float32Array): void {
  for (let i = 0, to = 0; i < rows.length; i++) {
    const from = rows[i] * width
    for (let c = 0; c < width; c++) picked[to++] = table[from + c]
  }
}
