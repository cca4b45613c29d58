/** Bit of a cell: the vertex is behind the eye, outside of near and far, or not finite. */
const SPECIAL = 0x8000

/** Adding and subtracting it rounds to multiples of 2^-32 (numbers up to 2^19 in size; larger ones to a coarser grid). */
export const SNAP = 1.5 * 2 ** 20

/** The vertices of one mesh on the picture. Valid until the next call of `projectVertices`. */
export interface ProjectedVertices {
  /** `[N * 4]` x and y in pixels (origin top left, y down), z / w, 1 / w. */
  records: Float64Array
  /** `[N]` column and row (times 2^16) of the first pixel centre at or after the vertex, each within the picture or just beyond. */
  cells: Int32Array
  /** Whether any cell has the bit `SPECIAL`. */
  special: boolean
}

let records = new Float64Array(0)
let cells = new Int32Array(0)

/** Projects `[N, 4]` clip-space vertices that start at `offset`. Clip space has y up: here it is flipped.
 *
 * Does, number by number, what `project` in assembly/rasterize.ts does.
 */
export function projectVertices(
  clip: Float32Array,
  offset: number,
  count: number,
  width: number,
  height: number,
): ProjectedVertices {
  if (cells.length < count) {
    records = new Float64Array(4 * count)
    cells = new Int32Array(count)
  }
  let special = false
  for (let i = 0, k = offset, o = 0; i < count; i++, k += 4, o += 4) {
    const cx = clip[k]
    const cy = clip[k + 1]
    const cz = clip[k + 2]
    const cw = clip[k + 3]
    const sum = cx + cy + cz + cw
    const inverse = 1 / cw
    const x = (cx * inverse * 0.5 + 0.5) * width + SNAP - SNAP
    const y = (0.5 - cy * inverse * 0.5) * height + SNAP - SNAP
    records[o] = x
    records[o + 1] = y
    records[o + 2] = cz * inverse
    records[o + 3] = inverse
    if (!(cw > 0 && cz <= cw && cz >= -cw && sum - sum === 0)) {
      cells[i] = SPECIAL
      special = true
      continue
    }
    const column = x < 0.5 ? 0 : x > width ? width : Math.ceil(x - 0.5)
    const row = y < 0.5 ? 0 : y > height ? height : Math.ceil(y - 0.5)
    cells[i] = column | (row << 16)
  }
  return { records, cells, special }
}
