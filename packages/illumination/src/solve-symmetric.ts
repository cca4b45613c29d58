/** Solves a small system with a symmetric positive definite matrix, by Cholesky's factors.
 *
 * @param matrix - rows; only the lower triangle is read, and it is overwritten
 */
export function solveSymmetric(matrix: Float64Array[], right: Float64Array): Float64Array {
  const size = right.length
  const x = Float64Array.from(right)
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i][j]
      for (let k = 0; k < j; k++) sum -= matrix[i][k] * matrix[j][k]
      matrix[i][j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / matrix[j][j]
    }
  }
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) x[i] -= matrix[i][k] * x[k]
    x[i] /= matrix[i][i]
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) x[i] -= matrix[k][i] * x[k]
    x[i] /= matrix[i][i]
  }
  return x
}
