import type { MorphableModel } from '@facekit/morphable'
import { defaultCamera } from '@facekit/render'
import { choleskyFactor, choleskyInverse } from './cholesky.js'
import { noisePatterns, type NoiseModel } from './correlated-noise.js'
import { linearizeFace, type FaceProblem } from './face-problem.js'
import type { FitLandmarksOptions, FitStart, LandmarkFit, LandmarkPosterior } from './landmark-fit.js'
import { evaluatePoints, type PointBasis } from './point-basis.js'
import type { Opening } from './openings.js'
import { POSE_SIZE } from './pose-matrices.js'
import { projectPoints } from './project-points.js'
import { noPrior, shapePrior, type ExpressionPrior } from './shape-prior.js'
import { solveFace, type FaceSolution } from './solve-face.js'

/** Turns of the head that are tried as starts: a strongly turned head is a local minimum away from a frontal one. */
const STARTS = [0, -0.7, 0.7]

/** Blendshape coefficients of people who are photographed. */
export const defaultExpressionPrior: Readonly<ExpressionPrior> = Object.freeze({ mean: 0.1, asymmetry: 0.2 })

/** What was seen of a face: points with their standard deviations. */
export interface SeenPoints {
  basis: PointBasis
  /** `[N * 3]` mm: where the points are on the mean face. */
  places: Float64Array
  /** Numbers of a point: 2 for x and y, 3 with the depth. */
  numbers: 2 | 3
  /** `[N * numbers]` pixels. */
  targets: Float64Array
  /** `[N * numbers]` pixels. */
  deviations: Float64Array
  noise: NoiseModel
  /** See `FaceProblem`. */
  openings?: readonly Opening[]
  /** Row that each point is, for points that slide. */
  choose?: (state: Float64Array) => Int32Array
}

/** Pose and shape that explain points, and how sure they are. */
export function fitPoints(
  points: SeenPoints,
  model: MorphableModel,
  options: FitLandmarksOptions,
): Omit<LandmarkFit, 'landmarks'> & { state: Float64Array; chosen: Int32Array } {
  const { width = 224, height = 224, camera = defaultCamera, iterations = 30, focalDeviation = 0 } = options
  const { basis, numbers, targets } = points
  const prior = shapePrior(model, options.identity, { ...defaultExpressionPrior, ...options.expression })
  const problem: FaceProblem = {
    basis,
    view: { camera, width, height, numbers },
    targets,
    deviations: points.deviations,
    noise: noisePatterns(points.places, points.noise),
    openings: points.openings ?? [],
    prior,
    focalDeviation,
  }
  const own = Int32Array.from(basis.candidates, ([row]) => row)
  const choose = points.choose ?? (() => own)
  const start = options.start ? stateOf(options.start) : new Float64Array(POSE_SIZE + basis.modes)
  start.set(options.identity?.mean ?? [], POSE_SIZE)
  if (!options.start) start.set(poseOf(problem, start, choose))
  const solution = solveFace(problem, start, { iterations, choose })
  const { state, chosen } = solution
  const seen = projectPoints(basis, state, chosen, problem.view)
  let distance = 0
  for (let r = 0; r < seen.length; r += numbers)
    distance += Math.hypot(seen[r] - targets[r], seen[r + 1] - targets[r + 1]) / chosen.length
  const { identity } = model.layout
  return {
    state,
    chosen,
    rotation: [state[0], state[1], state[2]],
    translation: [state[3], state[4], state[5]],
    scale: Math.exp(state[6]),
    focal: Math.exp(state[7]),
    identity: Float32Array.from(state.subarray(POSE_SIZE, POSE_SIZE + identity)),
    expression: Float32Array.from(state.subarray(POSE_SIZE + identity)),
    meanDistance: distance,
    posterior: posteriorOf(problem, solution),
  }
}

const stateOf = ({ rotation, translation, scale, focal, identity, expression }: FitStart): Float64Array =>
  Float64Array.of(...rotation, ...translation, Math.log(scale), Math.log(focal), ...identity, ...expression)

/** The pose of a face that does not change: from several sides, at a hundredth of the work of whole steps. */
function poseOf(
  problem: FaceProblem,
  start: Float64Array,
  choose: (state: Float64Array) => Int32Array,
): Float64Array {
  const rigid = {
    ...problem,
    basis: { ...problem.basis, modes: 0, mean: evaluatePoints(problem.basis, start.subarray(POSE_SIZE)) },
    // A start need not know how errors depend on each other.
    noise: { count: 0, white: new Float64Array(0), rest: problem.noise.rest.map(() => 1) },
    openings: [],
    prior: noPrior,
  }
  let best: FaceSolution | undefined
  for (const yaw of STARTS) {
    const pose = Float64Array.of(0, yaw, 0, 0, 0, 0, 0, 0)
    const solution = solveFace(rigid, pose, {
      iterations: 20,
      choose: (state) => choose(Float64Array.of(...state, ...start.subarray(POSE_SIZE))),
    })
    if (!best || solution.cost < best.cost) best = solution
  }
  return best!.state
}

function posteriorOf(problem: FaceProblem, { state, chosen, weights }: FaceSolution): LandmarkPosterior {
  const { normal, right } = linearizeFace(problem, state, chosen, weights, {})
  const { modes } = problem.basis
  const all = POSE_SIZE + modes
  const { spread, lowest } = problem.prior
  for (let k = 0; k < modes; k++) {
    // A coefficient at its bound, which points and prior push outwards, is exponentially distributed, with the slope there as its rate.
    const isHeld = state[POSE_SIZE + k] <= lowest[k]
    const rate = isHeld ? Math.max(0, -right[POSE_SIZE + k]) : 0
    normal[(POSE_SIZE + k) * (all + 1)] += Math.max(spread[k], rate * rate)
  }
  const full = choleskyInverse(choleskyFactor(normal, all)!, all)
  const covariance = new Float64Array(modes * modes)
  for (let k = 0; k < modes; k++)
    covariance.set(full.subarray((POSE_SIZE + k) * all + POSE_SIZE, (POSE_SIZE + k + 1) * all), k * modes)
  return { precision: withoutFocal(normal, all, problem.focalDeviation), covariance }
}

/** The precision of all but the focal length, whatever that is (Schur's complement), or for the one that is known. */
function withoutFocal(normal: Float64Array, n: number, focalDeviation: number): Float64Array {
  const m = n - 1
  const focal = POSE_SIZE - 1
  const at = (i: number, j: number) => (i >= j ? normal[i * n + j] : normal[j * n + i])
  const precision = new Float64Array(m * m)
  for (let i = 0; i < m; i++) {
    const a = i < focal ? i : i + 1
    for (let j = 0; j < m; j++) {
      const b = j < focal ? j : j + 1
      const known = focalDeviation === 0 ? 0 : (at(a, focal) * at(b, focal)) / at(focal, focal)
      precision[i * m + j] = at(a, b) - known
    }
  }
  return precision
}
