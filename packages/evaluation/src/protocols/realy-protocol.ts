import { ShapeError } from '@facekit/core'
import {
  applySimilarity3d,
  fitSimilarity3d,
  surfaceTarget,
  type Similarity3d,
  type Surface,
} from '@facekit/mesh'
import { alignLandmarks, centerOf, withScale } from '../measures/align-landmarks.js'
import { nowLandmarks } from './now-protocol.js'
import { nonRigidIcp } from './non-rigid-icp.js'

/** Parts of the face that REALY scores. */
export type RealyRegion = 'nose' | 'mouth' | 'forehead' | 'cheek'

export const realyRegions: readonly RealyRegion[] = Object.freeze(['nose', 'mouth', 'forehead', 'cheek'])

const range = (first: number, end: number) => Array.from({ length: end - first }, (_, i) => first + i)
const MOUTH = [...range(48, 61), 64]

/** Keypoints, of 85, that hold a region when it is brought to the scan, and when it is deformed (none for the cheek). The first 68 are the
 * landmarks of iBUG. */
const RIGID_KEYPOINTS: Record<RealyRegion, readonly number[]> = {
  nose: [...range(27, 36), 70, 71],
  mouth: MOUTH,
  forehead: [...range(36, 48), ...range(17, 27)],
  cheek: [...MOUTH, 76, 77, 36, 41, 40, 39, 42, 47, 46, 45, 7, 8, 9],
}
const SOFT_KEYPOINTS: Partial<Record<RealyRegion, readonly number[]>> = {
  nose: range(27, 36),
  mouth: MOUTH,
  forehead: RIGID_KEYPOINTS.forehead,
}

/** What `realyErrors` compares. */
export interface RealyInput {
  /** The scan's part of each region, in REALY's unit; a region that is absent is not scored. */
  regions: Partial<Record<RealyRegion, Surface>>
  /** `[85 * 3]` keypoints of the scan. */
  keypoints: ArrayLike<number>
  prediction: Surface
  /** `[85 * 3]` the same of the prediction; NaN where a model does not have one of the last 17. */
  predictionKeypoints: ArrayLike<number>
  /** Millimetres of a unit: the person's line of `metrical_scale.txt`. */
  millimetres: number
}

/** A region's score. */
export interface RealyError {
  /** Mean distance, mm: what REALY calls NMSE. */
  error: number
  /** `[N]` of each vertex of the region, mm. */
  distances: Float64Array
}

/** The protocol of REALY (Chai et al., ECCV 2022), step by step.
 *
 * The prediction is brought to the scan by seven keypoints, with the ratio of the L1 norms as the scale; for each region by rigid motions of
 * nearest points and keypoints, until the mean square changes by less than 1e-6; the scan's region is deformed onto the prediction (`nonRigidIcp`); and
 * what counts is the distance from each of its vertices, where it was, to the point of the prediction that is nearest to where it went: a
 * correspondence, and no nearest point.
 *
 * Where it differs from the scripts: a mirrored prediction is refused (there, `U V` of an SVD may reflect); keypoints that a model lacks are left
 * out; linear systems are solved by conjugate gradients.
 *
 * @throws {ShapeError} when there are not 85 keypoints
 * @throws {ValueError} when the prediction is mirrored
 */
export function realyErrors(input: RealyInput): Partial<Record<RealyRegion, RealyError>> {
  const { keypoints, prediction, predictionKeypoints, millimetres } = input
  if (keypoints.length !== 255 || predictionKeypoints.length !== 255)
    throw new ShapeError(
      `realyErrors: ${keypoints.length / 3} and ${predictionKeypoints.length / 3} keypoints, expected 85 in space`,
    )
  const global = globalSimilarity(predictionKeypoints, keypoints)
  const start = applySimilarity3d(global, prediction.positions)
  const startKeypoints = applySimilarity3d(global, predictionKeypoints)
  const result: Partial<Record<RealyRegion, RealyError>> = {}
  for (const region of realyRegions) {
    const scan = input.regions[region]
    if (!scan) continue
    const face: Surface = { positions: start, triangles: prediction.triangles }
    const known = RIGID_KEYPOINTS[region].filter((k) => Number.isFinite(predictionKeypoints[k * 3]))
    const rigid = alignRegion(face, scan, {
      from: pick(startKeypoints, known),
      to: pick(keypoints, known),
      // The scripts repeat them, so that they weigh as much as the region, a quarter of it for the cheek.
      weight: Math.floor(scan.positions.length / 3 / known.length / (region === 'cheek' ? 4 : 1)),
    })
    const aligned = { positions: applySimilarity3d(rigid, start), triangles: prediction.triangles }
    const soft = SOFT_KEYPOINTS[region]?.filter((k) => known.includes(k))
    const distances = softDistances(
      aligned,
      scan,
      soft && {
        goals: pick(applySimilarity3d(rigid, startKeypoints), soft),
        scan: pick(keypoints, soft),
      },
    ).map((distance) => distance * millimetres)
    result[region] = { error: distances.reduce((sum, d) => sum + d, 0) / distances.length, distances }
  }
  return result
}

function globalSimilarity(from: ArrayLike<number>, to: ArrayLike<number>): Similarity3d {
  const [a, b] = [pick(from, nowLandmarks), pick(to, nowLandmarks)]
  const { rotation } = alignLandmarks(a, b, { who: 'realyErrors' })
  const centred = (points: Float64Array) => {
    const center = centerOf(points)
    return points.map((value, i) => value - center[i % 3])
  }
  const turned = applySimilarity3d({ scale: 1, rotation, translation: [0, 0, 0] }, centred(a))
  const norm = (points: Float64Array) => points.reduce((sum, value) => sum + Math.abs(value), 0)
  return withScale({ scale: 1, rotation, translation: [0, 0, 0] }, norm(centred(b)) / norm(turned), a, b)
}

interface WeighedPoints {
  from: Float64Array
  to: Float64Array
  weight: number
}

/** Rigid motions of the face onto the region: the scan's vertices look for their nearest points. */
function alignRegion(face: Surface, scan: Surface, keypoints: WeighedPoints): Similarity3d {
  const target = surfaceTarget(face)
  const count = scan.positions.length / 3
  const goals = Float64Array.from([...Array.from(scan.positions), ...keypoints.to])
  const weights = new Float64Array(goals.length / 3).fill(1, 0, count).fill(keypoints.weight, count)
  let motion: Similarity3d = { scale: 1, rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1], translation: [0, 0, 0] }
  let before = 0
  for (let round = 0; ; round++) {
    const feet = nearestPoints(target, applySimilarity3d(inverse(motion), scan.positions))
    const from = Float64Array.from([...feet, ...keypoints.from])
    const next = rigidFit(from, goals, weights)
    const moved = applySimilarity3d(next, from)
    let [sum, total] = [0, 0]
    for (let i = 0; i < weights.length; i++) {
      total += weights[i]
      for (let c = 0; c < 3; c++) sum += weights[i] * (moved[i * 3 + c] - goals[i * 3 + c]) ** 2
    }
    if (Math.abs(sum / total - before) < 1e-6 || round >= 100) return motion
    before = sum / total
    motion = next
  }
}

function rigidFit(from: Float64Array, to: Float64Array, weights: Float64Array): Similarity3d {
  const { rotation } = fitSimilarity3d(from, to, weights)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const mean = (points: Float64Array) =>
    [0, 1, 2].map((c) => weights.reduce((sum, weight, i) => sum + weight * points[i * 3 + c], 0) / total)
  return withScale({ scale: 1, rotation, translation: [0, 0, 0] }, 1, mean(from), mean(to))
}

function inverse({ rotation: r, translation: t }: Similarity3d): Similarity3d {
  const rotation = [r[0], r[3], r[6], r[1], r[4], r[7], r[2], r[5], r[8]]
  const [x, y, z] = applySimilarity3d({ scale: 1, rotation, translation: [0, 0, 0] }, t)
  return { scale: 1, rotation, translation: [-x, -y, -z] }
}

function nearestPoints(target: ReturnType<typeof surfaceTarget>, points: ArrayLike<number>): Float64Array {
  const result = new Float64Array(points.length)
  for (let i = 0; i < points.length; i += 3) {
    const { triangle, weights } = target.tree.nearest(points[i], points[i + 1], points[i + 2])!
    for (let k = 0; k < 3; k++) {
      const corner = target.triangles[triangle + k]
      for (let c = 0; c < 3; c++) result[i + c] += weights[k] * target.positions[corner * 3 + c]
    }
  }
  return result
}

/** Distances of the scan's vertices from the points of the face that they correspond to. */
function softDistances(
  face: Surface,
  scan: Surface,
  keypoints: { goals: Float64Array; scan: Float64Array } | undefined,
): Float64Array {
  const target = surfaceTarget(face)
  const deformed = nonRigidIcp(scan, nearestPoints(target, scan.positions), {
    stiffness: [50, 50 * Math.exp(-0.5), 50 * Math.exp(-1)],
    tolerances: [1, 0.5, 0.25],
    ...(keypoints && {
      steps: 11,
      keypoints: {
        vertices: nearestVertices(scan, keypoints.scan),
        goals: keypoints.goals,
        weight: (step: number) => (step === 0 ? 50 : 5 * Math.exp(-0.9 * step)),
        firstStiffness: 150,
      },
    }),
  })
  const feet = nearestPoints(target, deformed)
  return Float64Array.from({ length: feet.length / 3 }, (_, i) =>
    Math.hypot(...[0, 1, 2].map((c) => feet[i * 3 + c] - scan.positions[i * 3 + c])),
  )
}

function nearestVertices({ positions }: Surface, points: Float64Array): number[] {
  return Array.from({ length: points.length / 3 }, (_, i) => {
    let [best, least] = [0, Infinity]
    for (let v = 0; v * 3 < positions.length; v++) {
      const distance = Math.hypot(...[0, 1, 2].map((c) => positions[v * 3 + c] - points[i * 3 + c]))
      if (distance < least) [best, least] = [v, distance]
    }
    return best
  })
}

const pick = (points: ArrayLike<number>, chosen: readonly number[]) =>
  Float64Array.from(chosen.flatMap((k) => [points[k * 3], points[k * 3 + 1], points[k * 3 + 2]]))
