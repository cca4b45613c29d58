import { choleskyFactor, solveLower } from './cholesky.js'

/** How the errors of a network's points depend on each other: a whole nose is too high, a whole cheek too deep. */
export interface NoiseModel {
  /** Share of an error's variance that neighbours have in common, 0 to below 1. */
  share: number
  /** Millimetres over which it falls to exp(-1/2). */
  length: number
}

/** Errors of points as patterns: error = deviation * sqrt(rest) * (white * a + e), a and e independent with unit variance. */
export interface NoisePatterns {
  /** R. */
  count: number
  /** `[N, R]` patterns in standard deviations of a point's own error. */
  white: Float64Array
  /** `[N]` variance that is the point's own, of 1. */
  rest: Float64Array
}

/** Patterns of errors that fall off with the distance on the mean face.
 *
 * The covariance share * exp(-d^2 / (2 length^2)) is taken through R centres that lie as far apart as they can; what they miss of a point's
 * variance is added to its own (Snelson and Ghahramani, "Sparse Gaussian processes using pseudo-inputs", NIPS 2005: FITC).
 *
 * @param positions - `[N * 3]` mm
 */
export function noisePatterns(positions: Float64Array, model: NoiseModel, most = 40): NoisePatterns {
  const n = positions.length / 3
  const { share, length } = model
  const rest = new Float64Array(n).fill(1)
  if (share === 0) return { count: 0, white: new Float64Array(0), rest }
  const squared = (i: number, j: number) => {
    const x = positions[3 * i] - positions[3 * j]
    const y = positions[3 * i + 1] - positions[3 * j + 1]
    const z = positions[3 * i + 2] - positions[3 * j + 2]
    return x * x + y * y + z * z
  }
  const kernel = (i: number, j: number) => share * Math.exp(-squared(i, j) / (2 * length * length))
  const centres = farthestPoints(n, squared, Math.min(most, n))
  const count = centres.length
  const gram = new Float64Array(count * count)
  for (let a = 0; a < count; a++)
    for (let b = 0; b <= a; b++) gram[a * count + b] = kernel(centres[a], centres[b]) + (a === b ? 1e-6 : 0)
  const factor = choleskyFactor(gram, count)!
  const white = new Float64Array(n * count)
  for (let i = 0; i < n; i++) {
    const row = solveLower(
      factor,
      count,
      Float64Array.from(centres, (centre) => kernel(i, centre)),
    )
    for (const value of row) rest[i] -= value * value
    for (let a = 0; a < count; a++) white[i * count + a] = row[a] / Math.sqrt(rest[i])
  }
  return { count, white, rest }
}

/** Points of which each lies as far as it can from those before it. */
function farthestPoints(n: number, squared: (i: number, j: number) => number, count: number): number[] {
  const chosen = [0]
  const nearest = Float64Array.from({ length: n }, (_, i) => squared(i, 0))
  while (chosen.length < count) {
    let next = 0
    for (let i = 1; i < n; i++) if (nearest[i] > nearest[next]) next = i
    if (nearest[next] === 0) break
    chosen.push(next)
    for (let i = 0; i < n; i++) nearest[i] = Math.min(nearest[i], squared(i, next))
  }
  return chosen
}
