import { choleskyFactor, choleskySolve } from './landmarks/cholesky.js'

/** Solves `A x = b` for a symmetric positive definite A, of which only the lower triangle is read. */
export function solveNormalEquations(
  normal: readonly ArrayLike<number>[],
  right: readonly number[],
): Float64Array {
  const size = right.length
  const matrix = new Float64Array(size * size)
  for (let i = 0; i < size; i++) for (let j = 0; j <= i; j++) matrix[i * size + j] = normal[i][j]
  return choleskySolve(choleskyFactor(matrix, size)!, size, Float64Array.from(right))
}
