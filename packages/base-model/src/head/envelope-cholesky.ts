/** Cholesky's decomposition of a sparse symmetric positive definite matrix: each row from its first number on that isn't zero. In an order in which neighbours are near each
 * other that is little more than the matrix has.
 */
export class EnvelopeCholesky {
  readonly #rows: Float64Array[]
  readonly #first: Int32Array

  /** @param rows - lower half: by row, numbers by column up to the diagonal */
  constructor(rows: readonly ReadonlyMap<number, number>[]) {
    this.#first = Int32Array.from(rows, (row, i) => Math.min(i, ...row.keys()))
    const first = this.#first
    this.#rows = rows.map((row, i) => {
      const dense = new Float64Array(i - first[i] + 1)
      for (const [j, value] of row) dense[j - first[i]] = value
      return dense
    })
    for (let i = 0; i < rows.length; i++) {
      const row = this.#rows[i]
      for (let j = first[i]; j <= i; j++) {
        const other = this.#rows[j]
        let sum = row[j - first[i]]
        for (let k = Math.max(first[i], first[j]); k < j; k++) sum -= row[k - first[i]] * other[k - first[j]]
        row[j - first[i]] = j === i ? Math.sqrt(sum) : sum / other[j - first[j]]
      }
    }
  }

  /** Solves for one right-hand side, in place. */
  solve(values: Float64Array): void {
    const [rows, first] = [this.#rows, this.#first]
    for (let i = 0; i < rows.length; i++) {
      let sum = values[i]
      for (let k = first[i]; k < i; k++) sum -= rows[i][k - first[i]] * values[k]
      values[i] = sum / rows[i][i - first[i]]
    }
    for (let i = rows.length - 1; i >= 0; i--) {
      values[i] /= rows[i][i - first[i]]
      for (let k = first[i]; k < i; k++) values[k] -= rows[i][k - first[i]] * values[i]
    }
  }
}
