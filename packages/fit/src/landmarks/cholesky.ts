/** Symmetric positive definite matrices in one flat array `[n * n]`, row by row; only the lower triangle is read.
 *
 * The fit solves systems of about 140 unknowns some ten times a face: in flat arrays that takes a millisecond, in nested ones ten.
 */

/** The lower triangle L with A = L L', row by row; undefined when A is not positive definite. */
export function choleskyFactor(matrix: Float64Array, n: number): Float64Array | undefined {
  const factor = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    const row = i * n
    for (let j = 0; j <= i; j++) {
      const other = j * n
      let sum = matrix[row + j]
      for (let k = 0; k < j; k++) sum -= factor[row + k] * factor[other + k]
      if (j < i) factor[row + j] = sum / factor[other + j]
      else {
        if (!(sum > 0)) return undefined
        factor[row + i] = Math.sqrt(sum)
      }
    }
  }
  return factor
}

/** Solves L x = b in place. */
export function solveLower(factor: Float64Array, n: number, b: Float64Array): Float64Array {
  for (let i = 0; i < n; i++) {
    const row = i * n
    let sum = b[i]
    for (let k = 0; k < i; k++) sum -= factor[row + k] * b[k]
    b[i] = sum / factor[row + i]
  }
  return b
}

/** Solves L' x = b in place. */
export function solveUpper(factor: Float64Array, n: number, b: Float64Array): Float64Array {
  for (let i = n - 1; i >= 0; i--) {
    const x = (b[i] /= factor[i * n + i])
    const row = i * n
    for (let k = 0; k < i; k++) b[k] -= factor[row + k] * x
  }
  return b
}

/** Solves A x = b in place, given the factor of A. */
export function choleskySolve(factor: Float64Array, n: number, b: Float64Array): Float64Array {
  return solveUpper(factor, n, solveLower(factor, n, b))
}

/** The inverse of A, both triangles, given its factor. */
export function choleskyInverse(factor: Float64Array, n: number): Float64Array {
  const inverse = new Float64Array(n * n)
  const column = new Float64Array(n)
  for (let i = 0; i < n; i++) {
    column.fill(0)
    column[i] = 1
    inverse.set(choleskySolve(factor, n, column), i * n)
  }
  return inverse
}
