/** Solves `A x = b` for a symmetric positive definite matrix by Cholesky's decomposition, in place.
 *
 * @param matrix - `[n * n]` row-major; only its lower half is read; overwritten
 * @param columns - right-hand sides, each `[n]`; overwritten by the solutions
 * @returns false where the matrix is not positive definite
 */
export function solveSymmetric(matrix: Float64Array, columns: readonly Float64Array[]): boolean {
  const n = Math.round(Math.sqrt(matrix.length))
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j]
      for (let k = 0; k < j; k++) sum -= matrix[i * n + k] * matrix[j * n + k]
      if (i === j) {
        if (!(sum > 0)) return false
        matrix[i * n + i] = Math.sqrt(sum)
      } else {
        matrix[i * n + j] = sum / matrix[j * n + j]
      }
    }
  }
  for (const x of columns) {
    for (let i = 0; i < n; i++) {
      let sum = x[i]
      for (let k = 0; k < i; k++) sum -= matrix[i * n + k] * x[k]
      x[i] = sum / matrix[i * n + i]
    }
    for (let i = n - 1; i >= 0; i--) {
      let sum = x[i]
      for (let k = i + 1; k < n; k++) sum -= matrix[k * n + i] * x[k]
      x[i] = sum / matrix[i * n + i]
    }
  }
  return true
}
