import { choleskyFactor, choleskySolve } from './cholesky.js'

/** Most exchanges between what is at a bound and what is free. */
const MOST_ROUNDS = 12

/** The step s that minimises s' H s / 2 - g' s while x + s stays within bounds, by an active set.
 *
 * @param matrix - `[n * n]` H, symmetric positive definite; only its lower triangle is read
 * @param right - `[n]` g
 * @returns undefined when H is not positive definite
 */
export function boundedStep(
  matrix: Float64Array,
  right: Float64Array,
  x: Float64Array,
  lowest: Float64Array,
  highest: Float64Array,
): Float64Array | undefined {
  const n = right.length
  const step = new Float64Array(n)
  const at = (i: number, j: number) => (i >= j ? matrix[i * n + j] : matrix[j * n + i])
  // 0: free; -1, 1: at its lower or upper bound.
  const bound = new Int8Array(n)
  for (let i = 0; i < n; i++) {
    if (lowest[i] === highest[i] || (x[i] <= lowest[i] && right[i] < 0)) bound[i] = -1
    else if (x[i] >= highest[i] && right[i] > 0) bound[i] = 1
  }
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const free: number[] = []
    const fixed: number[] = []
    for (let i = 0; i < n; i++) {
      if (bound[i] === 0) free.push(i)
      else {
        step[i] = (bound[i] < 0 ? lowest[i] : highest[i]) - x[i]
        if (step[i] !== 0) fixed.push(i)
      }
    }
    const m = free.length
    const reduced = new Float64Array(m * m)
    const b = new Float64Array(m)
    for (let i = 0; i < m; i++) {
      for (let j = 0; j <= i; j++) reduced[i * m + j] = matrix[free[i] * n + free[j]]
      let sum = right[free[i]]
      for (const j of fixed) sum -= at(free[i], j) * step[j]
      b[i] = sum
    }
    const factor = choleskyFactor(reduced, m)
    if (!factor) return undefined
    choleskySolve(factor, m, b)
    let changed = false
    for (let i = 0; i < m; i++) {
      const a = free[i]
      step[a] = b[i]
      if (x[a] + b[i] < lowest[a]) bound[a] = -1
      else if (x[a] + b[i] > highest[a]) bound[a] = 1
      if (bound[a] !== 0) changed = true
    }
    if (changed) continue
    // What is held at a bound but pulled inwards is let go.
    for (let i = 0; i < n; i++) {
      if (bound[i] === 0 || lowest[i] === highest[i]) continue
      let pull = right[i]
      for (let j = 0; j < n; j++) if (step[j] !== 0) pull -= at(i, j) * step[j]
      if (bound[i] * pull < -1e-9) {
        bound[i] = 0
        changed = true
      }
    }
    if (!changed) break
  }
  for (let i = 0; i < n; i++) step[i] = Math.min(highest[i] - x[i], Math.max(lowest[i] - x[i], step[i]))
  return step
}
