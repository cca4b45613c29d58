import { Matrix, solve } from 'ml-matrix'

/** How bright each point is lit. */
export interface Shading {
  /** `[P]` */
  shading: Float64Array
  /** `[P]` trust: 0 where hair, glasses or highlights hide the skin. */
  trust: Float64Array
}

/** Shading below this part of its median is not believed: dividing by it would make noise of shadows. */
const FLOOR = 0.35
/** Pull of each band's light towards none; the constant one is free. */
const RIDGE = [0, 0.02, 0.08]
/** Differences over this many median deviations are no skin in diffuse light. */
const OUTLIER = 3
const ROUNDS = 4
const STRIDE = 3

/** One white light of nine spherical harmonics that explains a face's luminance by an expected albedo: robust, ridge
 * least squares.
 *
 * @param luminance - `[P]` linear
 * @param expected - `[P]` luminance of the expected albedo
 * @param harmonics - `[P * 9]`
 * @param weights - `[P]` 0 where a point is not seen
 */
export function removeLight(
  luminance: Float64Array,
  expected: ArrayLike<number>,
  harmonics: Float64Array,
  weights: ArrayLike<number>,
): Shading {
  const count = luminance.length
  const trust = new Float64Array(count)
  const shading = new Float64Array(count)
  // Light is smooth: a part of the points says enough.
  const sample: number[] = []
  for (let p = 0; p < count; p += STRIDE) if (weights[p] > 0) sample.push(p)
  const off = (p: number) => Math.abs(Math.log((luminance[p] + 1e-4) / (shading[p] * expected[p] + 1e-4)))
  for (const p of sample) trust[p] = weights[p]
  const lit = new Float64Array(sample.length)
  let bound = 0
  for (let round = 0; round < ROUNDS; round++) {
    const light = solveLight(sample, luminance, expected, harmonics, trust)
    const shade = (p: number) => {
      let sum = 0
      for (let b = 0; b < 9; b++) sum += light[b] * harmonics[p * 9 + b]
      return sum
    }
    sample.forEach((p, i) => (lit[i] = shade(p)))
    const floor = Math.max(FLOOR * (lit.sort()[lit.length >> 1] ?? 0), 1e-4)
    const last = round === ROUNDS - 1
    const points = last ? Array.from({ length: count }, (_, p) => p) : sample
    for (const p of points) shading[p] = Math.max(shade(p), floor)
    sample.forEach((p, i) => (lit[i] = off(p)))
    const median = lit.sort()[lit.length >> 1] ?? 0
    bound = OUTLIER * Math.min(Math.max(1.4826 * median, 0.08), 0.3)
    for (const p of points) trust[p] = weights[p] * Math.exp(-((off(p) / bound) ** 4))
  }
  return { shading, trust }
}

function solveLight(
  sample: readonly number[],
  luminance: Float64Array,
  expected: ArrayLike<number>,
  harmonics: Float64Array,
  trust: Float64Array,
): number[] {
  const normal = new Float64Array(81)
  const right = new Float64Array(9)
  const row = new Float64Array(9)
  let total = 0
  for (const p of sample) {
    const weight = trust[p]
    if (weight <= 0) continue
    total += weight * expected[p] ** 2
    for (let b = 0; b < 9; b++) row[b] = expected[p] * harmonics[p * 9 + b]
    for (let b = 0; b < 9; b++) {
      const scaled = weight * row[b]
      right[b] += scaled * luminance[p]
      for (let c = 0; c < 9; c++) normal[b * 9 + c] += scaled * row[c]
    }
  }
  for (let b = 0; b < 9; b++) normal[b * 10] += RIDGE[b === 0 ? 0 : b < 4 ? 1 : 2] * total + 1e-12
  return solve(Matrix.from1DArray(9, 9, normal), Matrix.columnVector(right)).to1DArray()
}
