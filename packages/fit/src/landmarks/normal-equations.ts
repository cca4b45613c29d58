/** Adds `sign` J' J to the lower triangle of `normal`.
 *
 * Most of the time of a fit is spent here: four rows at once, so that each number of the matrix is read and written once for four products.
 *
 * @param normal - `[n * n]`
 * @param rows - `[count * n]` J, row by row
 */
export function addGram(normal: Float64Array, rows: Float64Array, count: number, n: number, sign = 1): void {
  let r = 0
  for (; r + 4 <= count; r += 4) {
    const [r0, r1, r2, r3] = [r * n, (r + 1) * n, (r + 2) * n, (r + 3) * n]
    for (let a = 0; a < n; a++) {
      const s0 = sign * rows[r0 + a]
      const s1 = sign * rows[r1 + a]
      const s2 = sign * rows[r2 + a]
      const s3 = sign * rows[r3 + a]
      if (s0 === 0 && s1 === 0 && s2 === 0 && s3 === 0) continue
      const at = a * n
      for (let b = 0; b <= a; b++)
        normal[at + b] += s0 * rows[r0 + b] + s1 * rows[r1 + b] + s2 * rows[r2 + b] + s3 * rows[r3 + b]
    }
  }
  for (; r < count; r++) {
    const r0 = r * n
    for (let a = 0; a < n; a++) {
      const s = sign * rows[r0 + a]
      if (s === 0) continue
      for (let b = 0; b <= a; b++) normal[a * n + b] += s * rows[r0 + b]
    }
  }
}
