/** Steps of the iteration at most; neighbours whose deviations differ by 5 % are told apart by then. */
const STEPS = 300
const SETTLED = 1e-12
/** Modes below this share of the first's variance are rounding. */
const SMALLEST = 1e-7

/** Principal components of vectors about zero, times their standard deviations: by power iteration on the products of the vectors, each mode taken out before
 * the next.
 *
 * @param vectors - n of `[D]`
 * @param most - number of modes at most
 * @param freedom - what sums of squares are divided by to be variances: n, or n - 1 where the mean was taken out
 * @returns `[K * D]`, the largest first, each with the sign that makes the sum of its cubes positive
 */
export function principalModes(
  vectors: readonly Float32Array[],
  most: number,
  freedom: number,
): Float32Array {
  const n = vectors.length
  const size = vectors[0]?.length ?? 0
  const gram = new Float64Array(n * n)
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0
      for (let d = 0; d < size; d++) sum += vectors[i][d] * vectors[j][d]
      gram[i * n + j] = gram[j * n + i] = sum
    }
  const modes: Float32Array[] = []
  let first = 0
  while (modes.length < Math.min(most, n)) {
    const { value, vector } = largest(gram, n)
    first ||= value
    if (!(value > SMALLEST * first)) break
    const mode = new Float32Array(size)
    const factor = 1 / Math.sqrt(value)
    for (let i = 0; i < n; i++) for (let d = 0; d < size; d++) mode[d] += factor * vector[i] * vectors[i][d]
    const skew = mode.reduce((sum, each) => sum + each ** 3, 0)
    const scale = Math.sqrt(value / freedom) * (skew < 0 ? -1 : 1)
    modes.push(mode.map((each) => each * scale))
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) gram[i * n + j] -= value * vector[i] * vector[j]
  }
  const all = new Float32Array(modes.length * size)
  modes.forEach((mode, k) => all.set(mode, k * size))
  return all
}

/** The largest eigenvalue of a symmetric matrix without negative ones, and its eigenvector, from the longest column. */
function largest(matrix: Float64Array, n: number): { value: number; vector: Float64Array } {
  let start = 0
  for (let i = 1; i < n; i++) if (matrix[i * n + i] > matrix[start * n + start]) start = i
  let vector = matrix.slice(start * n, (start + 1) * n)
  let value = 0
  for (let step = 0; step < STEPS; step++) {
    const length = Math.hypot(...vector)
    if (!(length > 0)) return { value: 0, vector }
    for (let i = 0; i < n; i++) vector[i] /= length
    const next = new Float64Array(n)
    let along = 0
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) next[i] += matrix[i * n + j] * vector[j]
      along += next[i] * vector[i]
    }
    const settled = Math.abs(along - value) <= SETTLED * along
    value = along
    if (settled) break
    vector = next
  }
  const length = Math.hypot(...vector)
  return { value, vector: vector.map((each) => each / length) }
}
