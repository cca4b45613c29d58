/** Rows of J that are summed before a sum is written: as many as stay in the cache. */
const BLOCK = 420

/** Adds `sign` J' J to the lower triangle of `normal`.
 *
 * Most of the time of a fit is spent here: four columns against two at a time, along the rows, so that sums stay in registers.
 *
 * @param normal - `[n * n]`
 * @param rows - `[count * n]` J, row by row
 */
export function addGram(normal: Float64Array, rows: Float64Array, count: number, n: number, sign = 1): void {
  const wide = (n + 3) & ~3
  const columns = new Float64Array(wide * count)
  for (let r = 0; r < count; r++) for (let a = 0; a < n; a++) columns[a * count + r] = rows[r * n + a]
  const add = (a: number, b: number, value: number) => {
    if (b <= a && a < n) normal[a * n + b] += sign * value
  }
  for (let from = 0; from < count; from += BLOCK) {
    const to = Math.min(count, from + BLOCK)
    for (let a = 0; a < n; a += 4) {
      const a0 = a * count
      const [a1, a2, a3] = [a0 + count, a0 + 2 * count, a0 + 3 * count]
      for (let b = 0; b < a + 4; b += 2) {
        const b0 = b * count
        const b1 = b0 + count
        let [c00, c01, c10, c11, c20, c21, c30, c31] = [0, 0, 0, 0, 0, 0, 0, 0]
        for (let r = from; r < to; r++) {
          const y0 = columns[b0 + r]
          const y1 = columns[b1 + r]
          const x0 = columns[a0 + r]
          const x1 = columns[a1 + r]
          const x2 = columns[a2 + r]
          const x3 = columns[a3 + r]
          c00 += x0 * y0
          c01 += x0 * y1
          c10 += x1 * y0
          c11 += x1 * y1
          c20 += x2 * y0
          c21 += x2 * y1
          c30 += x3 * y0
          c31 += x3 * y1
        }
        add(a, b, c00)
        add(a, b + 1, c01)
        add(a + 1, b, c10)
        add(a + 1, b + 1, c11)
        add(a + 2, b, c20)
        add(a + 2, b + 1, c21)
        add(a + 3, b, c30)
        add(a + 3, b + 1, c31)
      }
    }
  }
}
