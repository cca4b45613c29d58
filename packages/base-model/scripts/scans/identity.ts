import { createRandom } from '@facekit/core'
import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import { similarityMotions } from '../../src/learn/gaussian-process.js'

/** People that are drawn from ICT-FaceKit's statistics, and the seed. */
const PEOPLE = 20_000
const SEED = 20_251

/** Covariance of the coefficients of people who are drawn: `[K, K]`, the unit matrix but for chance. */
export function drawnCovariance(count: number, people = PEOPLE, seed = SEED): Matrix {
  const random = createRandom(seed)
  const sum = new Float64Array(count * count)
  for (let p = 0; p < people; p++) {
    const b = Array.from({ length: count }, () => random.normal())
    for (let i = 0; i < count; i++) for (let j = 0; j <= i; j++) sum[i * count + j] += b[i] * b[j]
  }
  const covariance = Matrix.zeros(count, count)
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      covariance.set(i, j, sum[i * count + j] / people)
      covariance.set(j, i, sum[i * count + j] / people)
    }
  }
  return covariance
}

/** Removes motions and growth of the whole head from displacement fields, in place; weighted by area.
 *
 * @param fields - `[K][N * 3]`
 * @param area - `[M]` of the first M vertices; others do not count, but follow
 */
export function removeMotions(
  fields: readonly Float64Array[],
  positions: Float64Array,
  area: Float64Array,
): void {
  const dot = (a: Float64Array, b: Float64Array) => {
    let sum = 0
    for (let i = 0; i < area.length * 3; i++) sum += area[Math.floor(i / 3)] * a[i] * b[i]
    return sum
  }
  const subtract = (field: Float64Array, motion: Float64Array, amount: number) => {
    for (let i = 0; i < field.length; i++) field[i] -= amount * motion[i]
  }
  const basis: Float64Array[] = []
  for (const motion of similarityMotions(positions)) {
    for (const other of basis) subtract(motion, other, dot(motion, other))
    const length = Math.sqrt(dot(motion, motion))
    basis.push(motion.map((value) => value / length))
  }
  for (const field of fields) for (const motion of basis) subtract(field, motion, dot(field, motion))
}

/** Modes of the covariance that fields span, largest variance first, one standard deviation each; area-weighted.
 *
 * @param fields - `[R][N * 3]`: the covariance is the sum of their squares
 * @param area - `[M]` of the first M vertices; others do not count, but follow
 */
export function principalModes(
  fields: readonly Float64Array[],
  area: Float64Array,
  count: number,
): { modes: Float64Array[]; variances: number[] } {
  const total = area.reduce((sum, value) => sum + value, 0)
  const root = area.map((value) => Math.sqrt(value / total))
  const rows = fields.map((field) =>
    field.slice(0, area.length * 3).map((value, i) => value * root[Math.floor(i / 3)]),
  )
  const gram = Matrix.zeros(rows.length, rows.length)
  for (let i = 0; i < rows.length; i++) {
    for (let j = 0; j <= i; j++) {
      const [a, b] = [rows[i], rows[j]]
      let sum = 0
      for (let k = 0; k < a.length; k++) sum += a[k] * b[k]
      gram.set(i, j, sum)
      gram.set(j, i, sum)
    }
  }
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(gram, { assumeSymmetric: true })
  const order = realEigenvalues.map((_, k) => k).sort((a, b) => realEigenvalues[b] - realEigenvalues[a])
  // With F = U S V', the rows of U' F are S V': deviations along the modes.
  const modes = order.slice(0, count).map((k) => {
    const mode = new Float64Array(fields[0].length)
    fields.forEach((field, r) => {
      const share = eigenvectorMatrix.get(r, k)
      for (let i = 0; i < mode.length; i++) mode[i] += share * field[i]
    })
    const largest = mode.reduce(
      (most, value) => (Math.abs(value) > Math.abs(most) * (1 + 1e-9) ? value : most),
      0,
    )
    return largest < 0 ? mode.map((value) => -value) : mode
  })
  return { modes, variances: order.map((k) => Math.max(realEigenvalues[k], 0)) }
}
