import { boundedStep } from './bounded-step.js'
import { evaluateFace, linearizeFace, type FaceProblem, type Weights } from './face-problem.js'
import { POSE_SIZE } from './pose-matrices.js'

/** What Levenberg-Marquardt found. */
export interface FaceSolution {
  /** Pose as for `poseMatrices`, then coefficients. */
  state: Float64Array
  /** Row of the basis that each point is. */
  chosen: Int32Array
  weights: Weights
  cost: number
  iterations: number
}

/** How `solveFace` goes about it. */
export interface SolveOptions {
  /** Most steps. */
  iterations: number
  /** Share of the cost: a step that gains less is the last. Default 1e-4. */
  settled?: number
  /** Rows of the basis that the points are under a state; undefined where no point slides. */
  choose: (state: Float64Array) => Int32Array
}

/** Shares of the cost: a step that gains less is the last; after one that gains less the precision is kept. */
const [SETTLED, NEAR] = [1e-4, 0.1]

/** Maximum a posteriori by Levenberg-Marquardt with iteratively reweighted residuals; coefficients keep to their bounds. */
export function solveFace(problem: FaceProblem, start: Float64Array, options: SolveOptions): FaceSolution {
  const n = start.length
  const { prior, focalDeviation } = problem
  const lowest = new Float64Array(n).fill(-Infinity)
  const highest = new Float64Array(n).fill(Infinity)
  lowest.set(prior.lowest, POSE_SIZE)
  highest.set(prior.highest, POSE_SIZE)
  let state = Float64Array.from(start)
  if (focalDeviation === 0) lowest[7] = highest[7] = state[7]
  const workspace = {}
  let chosen = options.choose(state)
  let { weights } = evaluateFace(problem, state, chosen)
  let { cost } = evaluateFace(problem, state, chosen, weights)
  let damping = 1e-3
  let iterations = 0
  let known: Float64Array | undefined
  while (iterations < options.iterations) {
    iterations++
    const { normal, right } = linearizeFace(problem, state, chosen, weights, workspace, known)
    const before = cost
    let accepted = false
    for (let attempt = 0; attempt < 6 && !accepted; attempt++) {
      const damped = Float64Array.from(normal)
      for (let i = 0; i < n; i++) damped[i * n + i] *= 1 + damping
      const step = boundedStep(damped, right, state, lowest, highest)
      const next = step && state.map((value, i) => value + step[i])
      const nextCost = next ? evaluateFace(problem, next, chosen, weights).cost : Infinity
      accepted = nextCost < cost
      damping = Math.min(1e6, Math.max(1e-9, damping * (accepted ? 0.1 : 10)))
      if (accepted) {
        state = next!
        cost = nextCost
      }
    }
    const isRepeated = known !== undefined
    const settled = !accepted || before - cost < (options.settled ?? SETTLED) * before
    // Near the end the precision hardly changes.
    known = accepted && before - cost < NEAR * before ? normal : undefined
    const moved = options.choose(state)
    const slid = moved.some((row, i) => row !== chosen[i])
    chosen = moved
    weights = evaluateFace(problem, state, chosen, weights).weights
    cost = evaluateFace(problem, state, chosen, weights).cost
    if (slid) known = undefined
    if (settled && !(isRepeated && !accepted) && (!slid || !accepted)) break
  }
  return { state, chosen, weights, cost, iterations }
}
