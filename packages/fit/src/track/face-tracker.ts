import {
  applyTransform,
  invertTransform,
  type DenseLandmarks,
  type SimilarityTransform,
} from '@facekit/annotate'
import { ValueError } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import { defaultCamera, type Camera } from '@facekit/render'
import ndarray from 'ndarray'
import { eyeGeometry } from '../eye-geometry.js'
import { fitDenseLandmarks } from '../landmarks/fit-dense-landmarks.js'
import { noisePatterns } from '../landmarks/correlated-noise.js'
import { defaultExpressionPrior } from '../landmarks/fit-points.js'
import { evaluatePoints, pointBasis, type PointBasis } from '../landmarks/point-basis.js'
import { POSE_SIZE, poseMatrices } from '../landmarks/pose-matrices.js'
import { projectPoints } from '../landmarks/project-points.js'
import { shapePrior, type ShapePrior } from '../landmarks/shape-prior.js'
import { solveFace } from '../landmarks/solve-face.js'

/** How errors of the network's points depend on each other, as in `fitDenseLandmarks`. */
const NOISE = { share: 0.5, length: 25 }
/** Patterns that they are made of: fewer than there, which landmarks do not show and which takes a third off the time. */
const PATTERNS = 16
/** Standard deviation of the mesh's own error once its identity is known, mm. */
const MODEL_DEVIATION = 0.5
/** How far an expression coefficient usually moves from one picture of a video to the next. */
const MOTION = 0.2
/** Steps of Levenberg-Marquardt from the picture before, and the share of the cost of which one that gains less is the last. */
const [STEPS, SETTLED] = [8, 3e-3]

/** A face in one picture of a video. */
export interface TrackedFace {
  /** Pitch, yaw, roll in radians; millimetres; factor: as in `FaceParameters`, for the tracker's camera. */
  rotation: [number, number, number]
  translation: [number, number, number]
  scale: number
  /** `[Ke]` */
  expression: Float32Array
  /** Mean distance between the network's points and the mesh's, in standard deviations. */
  misfit: number
}

/** What `createFaceTracker` needs to know of a video and of the person in it. */
export interface FaceTrackerOptions {
  /** `[Ki]` coefficients of the person. */
  identity: ArrayLike<number>
  /** Pixels of the pictures to pixels of the square that the camera sees: one for the whole video, whose camera does not move. */
  transform: SimilarityTransform
  /** Side of that square, pixels. Default 224. */
  size?: number
  camera?: Camera
}

/** Finds pose and expression of one person, picture by picture. */
export interface FaceTracker {
  /** @param previous - the face in the picture before; without it, it is searched for from all sides */
  fit(dense: DenseLandmarks, previous?: TrackedFace): TrackedFace
  /** Where all dense landmarks of the mesh are seen, as `followDenseLandmarks` wants them: pixels of the picture. */
  points(face: TrackedFace): Pick<DenseLandmarks, 'positions' | 'depths'>
  /** `[68 * 2]` landmarks of the mesh, pixels of the picture. */
  landmarks(face: TrackedFace): Float32Array
  /** Unit vectors in which the subject's eyes look, camera space; undefined for a model without eyes. */
  gaze(face: TrackedFace): { left: number[]; right: number[] } | undefined
}

/** Tracks the face of a known person: pose and expression by Levenberg-Marquardt on dense landmarks, from the picture before, with identity fixed.
 *
 * An expression is expected to be near that of the picture before (standard deviation 0.2), besides the prior of `fitDenseLandmarks`.
 *
 * @throws {ValueError} when the model has no dense landmarks
 */
export function createFaceTracker(model: MorphableModel, options: FaceTrackerOptions): FaceTracker {
  const { transform, size = 224, camera = defaultCamera } = options
  const identity = Float64Array.from(options.identity)
  const vertices = model.denseLandmarks
  if (!vertices)
    throw new ValueError(`createFaceTracker: model ${model.name} has no dense landmarks; use the base model`)
  const full = pointBasis(
    model,
    Array.from(vertices, (vertex) => [vertex]),
  )
  const basis = withIdentity(full, identity)
  const prior = expressionOnly(shapePrior(model, undefined, defaultExpressionPrior), full)
  const chosen = Int32Array.from(basis.candidates, ([row]) => row)
  // Two points may be one vertex.
  const noise = noisePatterns(
    Float64Array.from(
      { length: 3 * chosen.length },
      (_, i) => basis.mean[3 * chosen[Math.floor(i / 3)] + (i % 3)],
    ),
    NOISE,
    PATTERNS,
  )
  const view = { camera, width: size, height: size, numbers: 3 as const }
  const focal = size / 2 / Math.tan(camera.fieldOfView / 2)
  const own = (MODEL_DEVIATION * focal) / camera.distance
  const known = { mean: identity, deviations: new Float64Array(identity.length).fill(1e-3) }
  const inverse = invertTransform(transform)
  const eyes = eyeRows(model, identity)

  const fit = (dense: DenseLandmarks, previous?: TrackedFace): TrackedFace => {
    const seen = intoCrop(dense, transform)
    let start: Float64Array
    if (previous) start = stateOf(previous)
    else {
      const first = fitDenseLandmarks(seen, model, { width: size, height: size, camera, identity: known })
      start = Float64Array.of(
        ...first.rotation,
        ...first.translation,
        Math.log(first.scale),
        0,
        ...first.expression,
      )
    }
    const count = vertices.length
    const targets = new Float64Array(3 * count)
    const deviations = new Float64Array(3 * count)
    for (let i = 0; i < count; i++) {
      targets.set([seen.positions.get(i, 0), seen.positions.get(i, 1), seen.depths[i]], 3 * i)
      const across = Math.hypot(seen.deviations[i], own)
      deviations.set([across, across, Math.hypot(seen.depthDeviations[i], own)], 3 * i)
    }
    const near = previous ? drawnTo(prior, previous.expression) : prior
    const problem = { basis, view, targets, deviations, noise, prior: near, focalDeviation: 0 }
    const { state } = solveFace(problem, start, { iterations: STEPS, settled: SETTLED, choose: () => chosen })
    const found = projectPoints(basis, state, chosen, view)
    let misfit = 0
    for (let r = 0; r < found.length; r += 3)
      misfit += Math.hypot(found[r] - targets[r], found[r + 1] - targets[r + 1]) / deviations[r] / count
    return {
      rotation: [state[0], state[1], state[2]],
      translation: [state[3], state[4], state[5]],
      scale: Math.exp(state[6]),
      expression: Float32Array.from(state.subarray(POSE_SIZE)),
      misfit,
    }
  }
  const points = (face: TrackedFace) => {
    const found = projectPoints(basis, stateOf(face), chosen, view)
    const flat = Float32Array.from({ length: 2 * chosen.length }, (_, i) => found[3 * (i >> 1) + (i & 1)])
    return {
      positions: applyTransform(inverse, ndarray(flat, [chosen.length, 2])),
      depths: Float32Array.from(chosen, (_, i) => found[3 * i + 2] / transform.scale),
    }
  }
  const landmarks = (face: TrackedFace) => {
    const { positions } = points(face)
    return Float32Array.from({ length: 136 }, (_, i) => positions.get(i >> 1, i & 1))
  }
  const gaze = (face: TrackedFace) => {
    if (!eyes) return undefined
    const all = new Float64Array(3 * model.vertexCount)
    const placed = evaluatePoints(eyes.basis, face.expression)
    for (const [i, vertex] of eyes.vertices.entries()) all.set(placed.subarray(3 * i, 3 * i + 3), 3 * vertex)
    const found = eyeGeometry(model, all)
    if (!found) return undefined
    const { matrix } = poseMatrices(stateOf(face))
    const turn = (v: readonly number[]) => {
      const turned = [0, 3, 6].map(
        (row) => matrix[row] * v[0] + matrix[row + 1] * v[1] + matrix[row + 2] * v[2],
      )
      return turned.map((value) => value / Math.hypot(...turned))
    }
    return { left: turn(found.left.gaze), right: turn(found.right.gaze) }
  }
  return { fit, points, landmarks, gaze }
}

const stateOf = ({ rotation, translation, scale, expression }: TrackedFace): Float64Array =>
  Float64Array.of(...rotation, ...translation, Math.log(scale), 0, ...expression)

/** The points of one person, moved by expressions alone. */
function withIdentity(full: PointBasis, identity: Float64Array): PointBasis {
  const { identityCount, modes, rows } = full
  const own = modes - identityCount
  const mean = evaluatePoints(full, Float64Array.of(...identity, ...new Float64Array(own)))
  const basis = new Float64Array(3 * rows * own)
  for (let r = 0; r < 3 * rows; r++)
    basis.set(full.basis.subarray(r * modes + identityCount, (r + 1) * modes), r * own)
  return { ...full, modes: own, identityCount: 0, mean, basis }
}

function expressionOnly(prior: ShapePrior, { identityCount: first, modes }: PointBasis): ShapePrior {
  const own = modes - first
  const precision = new Float64Array(own * own)
  for (let i = 0; i < own; i++)
    precision.set(prior.precision.subarray((first + i) * modes + first, (first + i + 1) * modes), i * own)
  const cut = (values: Float64Array) => values.slice(first)
  return {
    precision,
    right: cut(prior.right),
    spread: cut(prior.spread),
    lowest: cut(prior.lowest),
    highest: cut(prior.highest),
  }
}

/** The prior, and that the face was so a moment ago. */
function drawnTo(prior: ShapePrior, expression: Float32Array): ShapePrior {
  const count = expression.length
  const [precision, right] = [Float64Array.from(prior.precision), Float64Array.from(prior.right)]
  for (let k = 0; k < count; k++) {
    precision[k * count + k] += MOTION ** -2
    right[k] += expression[k] / MOTION ** 2
  }
  return { ...prior, precision, right }
}

function intoCrop(dense: DenseLandmarks, transform: SimilarityTransform): DenseLandmarks {
  const scaled = (values: Float32Array) => values.map((value) => value * transform.scale)
  return {
    ...dense,
    positions: applyTransform(transform, dense.positions),
    deviations: scaled(dense.deviations),
    depths: scaled(dense.depths),
    depthDeviations: scaled(dense.depthDeviations),
  }
}

function eyeRows(model: MorphableModel, identity: Float64Array) {
  const { eyeLeft, eyeRight, iris } = model.regions ?? {}
  if (!eyeLeft?.length || !eyeRight?.length || !iris?.length) return undefined
  const vertices = Int32Array.of(...eyeLeft, ...eyeRight)
  return {
    vertices,
    basis: withIdentity(
      pointBasis(
        model,
        Array.from(vertices, (v) => [v]),
      ),
      identity,
    ),
  }
}
