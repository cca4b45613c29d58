import { CholeskyDecomposition, Matrix } from 'ml-matrix'

/** Solves `A x = b` for a symmetric positive definite A.
 *
 * Only the lower triangle of `normal` is read: sums in another order make the upper one differ in the last digit, which
 * the decomposition refuses.
 */
export function solveNormalEquations(
  normal: readonly ArrayLike<number>[],
  right: readonly number[],
): number[] {
  const size = right.length
  const matrix = new Matrix(size, size)
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      matrix.set(i, j, normal[i][j])
      matrix.set(j, i, normal[i][j])
    }
  }
  return new CholeskyDecomposition(matrix).solve(Matrix.columnVector(right as number[])).to1DArray()
}
