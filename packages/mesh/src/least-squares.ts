import { solveSymmetric } from './solve-symmetric.js'

/** Solves `min |modes^T w - goal|^2 + sum penalty_k w_k^2` for any goal. */
export function normalEquations(modes: readonly Float64Array[], penalty: Float64Array) {
  const count = modes.length
  const matrix = new Float64Array(count * count)
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) matrix[i * count + j] = product(modes[i], modes[j])
    matrix[i * count + i] += penalty[i]
  }
  return (goal: Float64Array) => {
    const weights = Float64Array.from(modes, (mode) => product(mode, goal))
    if (!solveSymmetric(matrix.slice(), [weights])) weights.fill(0)
    return weights
  }
}

function product(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

/** `mean + sum of weights * modes`. */
export function combine(
  mean: Float64Array,
  modes: readonly Float64Array[],
  weights: Float64Array,
): Float64Array {
  const result = Float64Array.from(mean)
  for (const [k, mode] of modes.entries()) {
    for (let i = 0; i < result.length; i++) result[i] += weights[k] * mode[i]
  }
  return result
}
