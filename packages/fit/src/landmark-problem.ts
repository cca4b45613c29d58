import type { MorphableModel } from '@facekit/morphable'
import { defaultCamera, jawOutwardDirection } from '@facekit/render'
import type { LandmarkBasis } from './landmark-basis.js'
import type { FitLandmarksOptions, LandmarkFit } from './landmark-fit.js'
import { poseProjection } from './pose-projection.js'
import { solveNormalEquations } from './solve-normal-equations.js'

/** How far pose numbers usually are from 0: pitch, yaw, roll, tx, ty, tz, log(scale). */
const POSE_DEVIATIONS = [0.7, 1, 1, 60, 60, 30, 0.12]
const JAW_COUNT = 17

/** What is looked for: pose as for `poseProjection`, and coefficients, identity before expression. */
export interface LandmarkState {
  pose: Float64Array
  coefficients: Float64Array
}

/** Positions `[V * 3]` of the basis' rows for given coefficients. */
function evaluate(basis: LandmarkBasis, coefficients: Float64Array): Float64Array {
  const positions = Float64Array.from(basis.mean)
  for (const [k, mode] of basis.modes.entries()) {
    const c = coefficients[k]
    if (c !== 0) for (let i = 0; i < positions.length; i++) positions[i] += c * mode[i]
  }
  return positions
}

/** The least-squares problem of `fitLandmarks` for one set of landmarks. */
export function landmarkProblem(
  basis: LandmarkBasis,
  model: MorphableModel,
  target: Float64Array,
  options: FitLandmarksOptions,
) {
  const { width = 224, height = 224, camera = defaultCamera, iterations = 30 } = options
  const sigma = ((options.landmarkDeviation ?? 1.5) * height) / 224
  const { expressionRange } = model.shape
  const [lowest, highest] = expressionRange ?? [-Infinity, Infinity]
  const expressionDeviation = expressionRange ? (options.expressionDeviation ?? 0.5) : 1
  const { identityCount } = basis
  const count = basis.modes.length
  const expected = Float64Array.from({ length: count }, (_, k) =>
    k < identityCount ? (options.identity?.[k] ?? 0) : 0,
  )
  const deviation = (k: number) =>
    k < identityCount ? (options.identityDeviation ?? 1) : expressionDeviation
  const deviations = Float64Array.from({ length: count }, (_, k) => deviation(k))
  const landmarkSigma = (i: number) => (i < JAW_COUNT ? 2 * sigma : sigma)
  const pixel = new Float64Array(2)

  /** The row that each landmark stands on under a pose: for the jaw the candidate that is outermost in the picture. */
  const chooseRows = (positions: Float64Array, pose: Float64Array): Int32Array => {
    const projection = poseProjection(pose, camera, [width, height])
    const [sin, cos] = [Math.sin(pose[2]), Math.cos(pose[2])]
    return Int32Array.from(basis.candidates, (candidates, i) => {
      if (candidates.length === 1) return candidates[0]
      let bestRow = candidates[0]
      const [right, downwards] = jawOutwardDirection(i)
      let farthest = -Infinity
      for (const row of candidates) {
        projection.project(positions[3 * row], positions[3 * row + 1], positions[3 * row + 2], pixel)
        // Levelled by the roll.
        const sideways = cos * pixel[0] - sin * pixel[1]
        const down = sin * pixel[0] + cos * pixel[1]
        const outwards = right * sideways + downwards * down
        if (outwards > farthest) {
          farthest = outwards
          bestRow = row
        }
      }
      return bestRow
    })
  }

  const evaluateCost = ({ pose, coefficients }: LandmarkState, rows: Int32Array) => {
    const positions = evaluate(basis, coefficients)
    const projection = poseProjection(pose, camera, [width, height])
    let cost = 0
    for (let i = 0; i < 68; i++) {
      const row = 3 * rows[i]
      projection.project(positions[row], positions[row + 1], positions[row + 2], pixel)
      const distance = Math.hypot(pixel[0] - target[2 * i], pixel[1] - target[2 * i + 1]) / landmarkSigma(i)
      cost += distance < 3 ? distance * distance : 6 * distance - 9
    }
    for (let k = 0; k < 7; k++) cost += (pose[k] / POSE_DEVIATIONS[k]) ** 2
    for (let k = 0; k < count; k++) cost += ((coefficients[k] - expected[k]) / deviations[k]) ** 2
    return cost
  }

  /** Normal equations J'WJ x = -J'W r of the landmarks and the priors. */
  const normalEquations = ({ pose, coefficients }: LandmarkState, rows: Int32Array) => {
    const positions = evaluate(basis, coefficients)
    const projection = poseProjection(pose, camera, [width, height])
    const unknowns = 7 + count
    const normal = Array.from({ length: unknowns }, () => new Float64Array(unknowns))
    const right = new Float64Array(unknowns)
    const jacobian = new Float64Array(2 * unknowns)
    const point = new Float64Array(6)
    const poseRows = new Float64Array(14)
    for (let i = 0; i < 68; i++) {
      const at = 3 * rows[i]
      const [x, y, z] = [positions[at], positions[at + 1], positions[at + 2]]
      projection.project(x, y, z, pixel)
      const residual = [pixel[0] - target[2 * i], pixel[1] - target[2 * i + 1]]
      const distance = Math.hypot(residual[0], residual[1]) / landmarkSigma(i)
      const weight = (distance < 3 ? 1 : 3 / distance) / landmarkSigma(i) ** 2
      projection.pointJacobian(x, y, z, point)
      projection.poseJacobian(x, y, z, poseRows)
      for (let axis = 0; axis < 2; axis++) {
        jacobian.set(poseRows.subarray(7 * axis, 7 * axis + 7), axis * unknowns)
        const [px, py, pz] = point.subarray(3 * axis, 3 * axis + 3)
        for (let k = 0; k < count; k++) {
          const mode = basis.modes[k]
          jacobian[axis * unknowns + 7 + k] = px * mode[at] + py * mode[at + 1] + pz * mode[at + 2]
        }
      }
      for (let axis = 0; axis < 2; axis++) {
        const values = jacobian.subarray(axis * unknowns, (axis + 1) * unknowns)
        for (let a = 0; a < unknowns; a++) {
          const scaled = weight * values[a]
          if (scaled === 0) continue
          right[a] -= scaled * residual[axis]
          const target = normal[a]
          for (let b = 0; b <= a; b++) target[b] += scaled * values[b]
        }
      }
    }
    for (let a = 0; a < unknowns; a++) {
      const scale = a < 7 ? POSE_DEVIATIONS[a] : deviations[a - 7]
      const value = a < 7 ? pose[a] : coefficients[a - 7] - expected[a - 7]
      normal[a][a] += 1 / scale ** 2
      right[a] -= value / scale ** 2
    }
    return { normal, right }
  }

  /** A damped step that keeps bounded coefficients inside of their range. */
  const step = (
    state: LandmarkState,
    equations: ReturnType<typeof normalEquations>,
    damping: number,
  ): LandmarkState => {
    const unknowns = 7 + count
    const fixed = new Uint8Array(unknowns)
    // A coefficient at its bound that is pushed outwards stays there; the others are solved without it.
    for (let k = identityCount; k < count; k++) {
      const gradient = equations.right[7 + k]
      if (
        (state.coefficients[k] <= lowest && gradient < 0) ||
        (state.coefficients[k] >= highest && gradient > 0)
      ) {
        fixed[7 + k] = 1
      }
    }
    const free = Array.from({ length: unknowns }, (_, a) => a).filter((a) => fixed[a] === 0)
    const solution = solveNormalEquations(
      free.map((a) => free.map((b) => equations.normal[a][b] * (a === b ? 1 + damping : 1))),
      free.map((a) => equations.right[a]),
    )
    const pose = Float64Array.from(state.pose)
    const coefficients = Float64Array.from(state.coefficients)
    for (const [i, a] of free.entries()) {
      if (a < 7) pose[a] += solution[i]
      else coefficients[a - 7] += solution[i]
    }
    for (let k = identityCount; k < count; k++) {
      coefficients[k] = Math.min(highest, Math.max(lowest, coefficients[k]))
    }
    return { pose, coefficients }
  }

  const solve = (yaw: number) => {
    let state: LandmarkState = {
      pose: Float64Array.of(0, yaw, 0, 0, 0, 0, 0),
      coefficients: Float64Array.from(expected),
    }
    let rows = chooseRows(evaluate(basis, state.coefficients), state.pose)
    let cost = evaluateCost(state, rows)
    let damping = 1e-2
    for (let iteration = 0; iteration < iterations; iteration++) {
      const equations = normalEquations(state, rows)
      const before = cost
      let accepted = false
      for (let attempt = 0; attempt < 6 && !accepted; attempt++) {
        const next = step(state, equations, damping)
        const nextCost = evaluateCost(next, rows)
        accepted = nextCost < cost
        damping = Math.min(1e6, Math.max(1e-6, damping * (accepted ? 0.3 : 8)))
        if (accepted) {
          state = next
          cost = nextCost
        }
      }
      if (!accepted || before - cost < 1e-4 * before) break
      rows = chooseRows(evaluate(basis, state.coefficients), state.pose)
      cost = evaluateCost(state, rows)
    }
    return { state, cost }
  }

  const describe = ({ pose, coefficients }: LandmarkState): LandmarkFit => {
    const positions = evaluate(basis, coefficients)
    const rows = chooseRows(positions, pose)
    const projection = poseProjection(pose, camera, [width, height])
    const projected = new Float32Array(136)
    let total = 0
    for (let i = 0; i < 68; i++) {
      const row = 3 * rows[i]
      projection.project(positions[row], positions[row + 1], positions[row + 2], pixel)
      projected.set(pixel, 2 * i)
      total += Math.hypot(pixel[0] - target[2 * i], pixel[1] - target[2 * i + 1])
    }
    return {
      rotation: [pose[0], pose[1], pose[2]],
      translation: [pose[3], pose[4], pose[5]],
      scale: Math.exp(pose[6]),
      identity: Float32Array.from(coefficients.subarray(0, identityCount)),
      expression: Float32Array.from(coefficients.subarray(identityCount)),
      landmarks: projected,
      meanDistance: total / 68,
    }
  }
  return { solve, describe, sigma }
}
