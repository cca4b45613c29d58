import type { NoisePatterns } from './correlated-noise.js'
import { choleskyFactor, solveLower, solveUpper } from './cholesky.js'
import { addGram } from './normal-equations.js'
import { openingResiduals, openingRows, type Opening } from './openings.js'
import type { PointBasis } from './point-basis.js'
import { POSE_SIZE } from './pose-matrices.js'
import { projectPoints, projectPointsWithJacobian, type PointView } from './project-points.js'
import type { ShapePrior } from './shape-prior.js'

/** How far pose numbers usually are from 0: pitch, yaw, roll, tx, ty, tz, log(scale). */
const POSE_DEVIATIONS = [0.7, 1, 1, 60, 60, 30, 0.12]
/** Standardised residuals beyond this count linearly (Huber). */
const ROBUST = 2.5

/** Points that were seen in a crop, and what is known beforehand. */
export interface FaceProblem {
  basis: PointBasis
  view: PointView
  /** `[N * numbers]` pixels. */
  targets: Float64Array
  /** `[N * numbers]` pixels. */
  deviations: Float64Array
  noise: NoisePatterns
  /** What is known of lids and lips beside their points. */
  openings?: readonly Opening[]
  prior: ShapePrior
  /** Standard deviation of the logarithm of the focal length; 0: it is known. */
  focalDeviation: number
}

/** The problem about a state: cost = -2 log posterior, and its Gauss-Newton approximation. */
export interface Linearization {
  /** `[n * n]` lower triangle of the precision. */
  normal: Float64Array
  /** `[n]` -1/2 of the gradient of the cost. */
  right: Float64Array
}

/** Robust weights of the residuals. */
export interface Weights {
  /** `[N * numbers]` 0 to 1. */
  values: Float64Array
  /** For each coordinate the Cholesky factor of I + U' W U, U the patterns of common errors; made when it is needed. */
  factors: (Float64Array | undefined)[]
}

const asWeights = (values: Float64Array): Weights => ({ values, factors: [] })

/** The cost of a state under given weights, and the weights that its residuals deserve. */
export function evaluateFace(
  problem: FaceProblem,
  state: Float64Array,
  chosen: Int32Array,
  weights?: Weights,
): { cost: number; weights: Weights } {
  const { numbers } = problem.view
  const seen = projectPoints(problem.basis, state, chosen, problem.view)
  let cost = 0
  for (const value of openingResiduals(seen, problem.openings ?? [], problem.view)) cost += value * value
  const residuals = whiten(problem, seen)
  const used = weights ?? asWeights(new Float64Array(seen.length).fill(1))
  const rest = Float64Array.from(residuals)
  for (let r = 0; r < rest.length; r++) cost += used.values[r] * residuals[r] * residuals[r]
  for (let axis = 0; axis < numbers; axis++) {
    const common = commonErrors(problem, residuals, used, axis)
    if (!common) continue
    cost -= common.explained
    subtractCommon(problem, rest, common.amplitudes, axis)
  }
  return { cost: cost + priorCost(problem, state), weights: robustWeights(rest, numbers) }
}

/** Gauss-Newton's normal equations under given weights; common errors are marginalised (Woodbury's identity).
 *
 * @param known - a precision to keep: that of a state near by, which costs most of the time
 */
export function linearizeFace(
  problem: FaceProblem,
  state: Float64Array,
  chosen: Int32Array,
  weights: Weights,
  workspace: { jacobian?: Float64Array },
  known?: Float64Array,
): Linearization {
  const { basis, view, noise, deviations } = problem
  const n = POSE_SIZE + basis.modes
  const { numbers } = view
  const rows = chosen.length * numbers
  const jacobian = (workspace.jacobian ??= new Float64Array(rows * n))
  const seen = projectPointsWithJacobian(basis, state, chosen, view, jacobian)
  const opened = openingResiduals(seen, problem.openings ?? [], view)
  const openingJacobian = openingRows(seen, jacobian, problem.openings ?? [], view, n)
  const residuals = whiten(problem, seen)
  for (let axis = 0; axis < numbers; axis++) {
    const common = commonErrors(problem, residuals, weights, axis)
    if (common) subtractCommon(problem, residuals, common.amplitudes, axis)
  }
  const right = new Float64Array(n)
  for (let r = 0; r < rows; r++) {
    const root = Math.sqrt(weights.values[r])
    const factor = root / (deviations[r] * Math.sqrt(noise.rest[Math.floor(r / numbers)]))
    const value = residuals[r] * root
    for (let k = 0, at = r * n; k < n; k++, at++) {
      jacobian[at] *= factor
      right[k] -= value * jacobian[at]
    }
  }
  for (let i = 0; i < openingJacobian.length; i++)
    right[i % n] -= opened[Math.floor(i / n)] * openingJacobian[i]
  if (!known) {
    const normal = new Float64Array(n * n)
    addGram(normal, jacobian, rows, n)
    addGram(normal, openingJacobian, opened.length, n)
    for (let axis = 0; axis < numbers; axis++) subtractPatterns(problem, jacobian, weights, axis, normal, n)
    addPrior(problem, state, right, normal)
    return { normal, right }
  }
  addPrior(problem, state, right)
  return { normal: known, right }
}

/** Residuals in standard deviations of a point's own error. */
function whiten({ targets, deviations, noise, view }: FaceProblem, seen: Float64Array): Float64Array {
  for (let r = 0; r < seen.length; r++)
    seen[r] = (seen[r] - targets[r]) / (deviations[r] * Math.sqrt(noise.rest[Math.floor(r / view.numbers)]))
  return seen
}

/** I + U' W U of one coordinate, as its Cholesky factor. */
function patternGram({ noise, view }: FaceProblem, weights: Weights, axis: number): Float64Array {
  const known = weights.factors[axis]
  if (known) return known
  const { count, rest, white } = noise
  const gram = new Float64Array(count * count)
  const weighted = Float64Array.from(white)
  for (let i = 0; i < rest.length; i++) {
    const root = Math.sqrt(weights.values[i * view.numbers + axis])
    if (root !== 1) for (let a = i * count; a < (i + 1) * count; a++) weighted[a] *= root
  }
  addGram(gram, weighted, rest.length, count)
  for (let a = 0; a < count; a++) gram[a * count + a] += 1
  return (weights.factors[axis] = choleskyFactor(gram, count)!)
}

function commonErrors(problem: FaceProblem, residuals: Float64Array, weights: Weights, axis: number) {
  const { noise, view } = problem
  const { count, rest, white } = noise
  if (count === 0) return undefined
  const factor = patternGram(problem, weights, axis)
  const c = new Float64Array(count)
  for (let i = 0; i < rest.length; i++) {
    const r = i * view.numbers + axis
    const value = weights.values[r] * residuals[r]
    for (let a = 0; a < count; a++) c[a] += value * white[i * count + a]
  }
  solveLower(factor, count, c)
  let explained = 0
  for (const value of c) explained += value * value
  return { explained, amplitudes: solveUpper(factor, count, c) }
}

function subtractCommon(
  { noise, view }: FaceProblem,
  residuals: Float64Array,
  amplitudes: Float64Array,
  axis: number,
): void {
  const { count, rest, white } = noise
  for (let i = 0; i < rest.length; i++) {
    let sum = 0
    for (let a = 0; a < count; a++) sum += white[i * count + a] * amplitudes[a]
    residuals[i * view.numbers + axis] -= sum
  }
}

/** Huber's weights; x and y of a point share theirs. */
function robustWeights(residuals: Float64Array, numbers: number): Weights {
  const weights = new Float64Array(residuals.length)
  for (let r = 0; r < residuals.length; r += numbers) {
    const distance = Math.hypot(residuals[r], residuals[r + 1])
    weights[r] = weights[r + 1] = distance > ROBUST ? ROBUST / distance : 1
    if (numbers === 3) {
      const depth = Math.abs(residuals[r + 2])
      weights[r + 2] = depth > ROBUST ? ROBUST / depth : 1
    }
  }
  return asWeights(weights)
}

/** Takes the common errors of one coordinate out of the precision; rows of the Jacobian hold a root of the weights already. */
function subtractPatterns(
  problem: FaceProblem,
  jacobian: Float64Array,
  weights: Weights,
  axis: number,
  normal: Float64Array,
  n: number,
): void {
  const { noise, view } = problem
  const { count, rest, white } = noise
  if (count === 0) return
  const factor = patternGram(problem, weights, axis)
  // C = U' W J.
  const cross = new Float64Array(count * n)
  const roots = Float64Array.from(rest, (_, i) => Math.sqrt(weights.values[i * view.numbers + axis]))
  // Four points at once: each number of C is read and written once for four products.
  const stride = view.numbers * n
  for (let i = 0; i < rest.length; i += 4) {
    const last = Math.min(i + 4, rest.length) - 1
    const [i1, i2, i3] = [1, 2, 3].map((step) => Math.min(i + step, last))
    const row = i * stride + axis * n
    const [j0, j1, j2, j3] = [row, row + (i1 - i) * stride, row + (i2 - i) * stride, row + (i3 - i) * stride]
    for (let a = 0; a < count; a++) {
      const s0 = roots[i] * white[i * count + a]
      const s1 = i1 === i ? 0 : roots[i1] * white[i1 * count + a]
      const s2 = i2 === i1 ? 0 : roots[i2] * white[i2 * count + a]
      const s3 = i3 === i2 ? 0 : roots[i3] * white[i3 * count + a]
      for (let k = 0, to = a * n; k < n; k++)
        cross[to + k] +=
          s0 * jacobian[j0 + k] + s1 * jacobian[j1 + k] + s2 * jacobian[j2 + k] + s3 * jacobian[j3 + k]
    }
  }
  // L^-1 C, row by row.
  for (let a = 0; a < count; a++) {
    for (let b = 0; b < a; b++) {
      const f = factor[a * count + b]
      for (let k = 0; k < n; k++) cross[a * n + k] -= f * cross[b * n + k]
    }
    const f = 1 / factor[a * count + a]
    for (let k = 0; k < n; k++) cross[a * n + k] *= f
  }
  addGram(normal, cross, count, n, -1)
}

function addPrior(
  { prior, focalDeviation, basis }: FaceProblem,
  state: Float64Array,
  right: Float64Array,
  normal?: Float64Array,
): void {
  const n = right.length
  for (let p = 0; p < POSE_SIZE; p++) {
    const deviation = p < 7 ? POSE_DEVIATIONS[p] : focalDeviation || 1
    if (normal) normal[p * n + p] += 1 / deviation ** 2
    right[p] -= state[p] / deviation ** 2
  }
  const { modes } = basis
  for (let i = 0; i < modes; i++) {
    const row = (POSE_SIZE + i) * n + POSE_SIZE
    let sum = prior.right[i]
    for (let j = 0; j < modes; j++) {
      const p = prior.precision[i * modes + j]
      if (p === 0) continue
      sum -= p * state[POSE_SIZE + j]
      if (normal && j <= i) normal[row + j] += p
    }
    right[POSE_SIZE + i] += sum
  }
}

function priorCost({ prior, focalDeviation, basis }: FaceProblem, state: Float64Array): number {
  let cost = 0
  for (let p = 0; p < POSE_SIZE; p++)
    cost += (state[p] / (p < 7 ? POSE_DEVIATIONS[p] : focalDeviation || 1)) ** 2
  const { modes } = basis
  for (let i = 0; i < modes; i++) {
    const c = state[POSE_SIZE + i]
    let sum = -2 * prior.right[i]
    for (let j = 0; j < modes; j++) {
      const p = prior.precision[i * modes + j]
      if (p !== 0) sum += p * state[POSE_SIZE + j]
    }
    cost += c * sum
  }
  return cost
}
