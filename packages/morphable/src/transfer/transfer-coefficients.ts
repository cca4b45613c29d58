import { ShapeError } from '@facekit/core'
import ndarray, { type NdArray } from 'ndarray'
import { denseData } from '../model/dense-data.js'
import type { MorphableModel } from '../model/morphable-model.js'
import {
  applySimilarity3d,
  combine,
  fitSimilarity3d,
  normalEquations,
  type Similarity3d,
} from '@facekit/mesh'
import { surfaceCorrespondence, type SurfaceCorrespondence } from './surface-correspondence.js'
import { transferValues } from './transfer-albedo.js'

/** Coefficients of one face, in standard deviations (expressions: see `expressionRange`). */
export interface FaceCoefficients {
  /** `[Ki]` */
  identity: ArrayLike<number>
  /** `[Ke]` */
  expression: ArrayLike<number>
  /** `[Kt]` */
  albedo: ArrayLike<number>
}

/** Coefficients that were found, and how well they fit. */
export interface TransferredCoefficients {
  identity: Float32Array
  expression: Float32Array
  albedo: Float32Array
  /** Takes the first model's space to that of the second, where the two faces lie on each other. */
  similarity: Similarity3d
  /** Root mean square distance between the two surfaces at corresponding points, mm. */
  shapeError: number
  /** Root mean square difference of the diffuse albedo, linear RGB. */
  albedoError: number
}

/** Options of `transferCoefficients`. */
export interface TransferCoefficientsOptions {
  /** Of `surfaceCorrespondence(to, from)`, when it is there already: it takes most of the time. */
  correspondence?: SurfaceCorrespondence
  /** Weight of the squared coefficients against squared errors, in mm^2 for a vertex. Default 0.02. */
  regularization?: number
  /** Most vertices that are compared. Default 4000. */
  samples?: number
}

/** Vertices farther from the other surface than this say nothing, mm. */
const FAR = 4

/** Refits the coefficients of one model to another, whatever its mesh.
 *
 * Both means are brought into correspondence; the face that the coefficients make of the one model is fitted by the other: least
 * squares with the prior of the model as regularisation, in turns with the similarity between the two. Expressions keep to the
 * target's range.
 *
 * @returns coefficients of `to`
 * @throws {ShapeError} when the coefficients do not fit `from`
 */
export function transferCoefficients(
  from: MorphableModel,
  to: MorphableModel,
  coefficients: FaceCoefficients,
  options: TransferCoefficientsOptions = {},
): TransferredCoefficients {
  for (const name of ['identity', 'expression', 'albedo'] as const) {
    if (coefficients[name]?.length !== from.layout[name]) {
      throw new ShapeError(
        `transferCoefficients: ${name} is [${coefficients[name]?.length}], model "${from.name}" needs [${from.layout[name]}]; pass coefficients of the first model`,
      )
    }
  }
  const { correspondence = surfaceCorrespondence(to, from), regularization = 0.02, samples = 4000 } = options
  const near = [...correspondence.distances.keys()].filter((v) => correspondence.distances[v] <= FAR)
  const step = Math.max(1, near.length / samples)
  const rows = Int32Array.from(
    { length: Math.floor(near.length / step) },
    (_, i) => near[Math.floor(i * step)],
  )
  const shape = fitShape(from, to, coefficients, correspondence, rows, regularization)
  const albedo = fitAlbedo(from, to, coefficients, correspondence, rows)
  return { ...shape, ...albedo }
}

/** Values `[M, 3]` of a linear model. */
function evaluate(
  mean: NdArray<Float32Array>,
  parts: readonly [NdArray<Float32Array>, ArrayLike<number>][],
): NdArray<Float32Array> {
  const result = Float32Array.from(denseData(mean))
  for (const [basis, weights] of parts) {
    const data = denseData(basis)
    for (let k = 0; k < weights.length; k++) {
      if (weights[k] === 0) continue
      for (let i = 0; i < result.length; i++) result[i] += weights[k] * data[k * result.length + i]
    }
  }
  return ndarray(result, [...mean.shape])
}

function fitShape(
  from: MorphableModel,
  to: MorphableModel,
  { identity, expression }: FaceCoefficients,
  correspondence: SurfaceCorrespondence,
  rows: Int32Array,
  regularization: number,
) {
  const face = evaluate(from.shape.mean, [
    [from.shape.identity, identity],
    [from.shape.expression, expression],
  ])
  const goal = pickRows(denseData(transferValues(correspondence, face)), rows)
  const modes = modesAt([to.shape.identity, to.shape.expression], rows)
  const mean = pickRows(denseData(to.shape.mean), rows)
  const range = to.shape.expressionRange
  const first = to.layout.identity
  const penalty = Float64Array.from(
    modes,
    (_, k) => regularization * rows.length * (range && k >= first ? 4 : 1),
  )
  const solve = normalEquations(modes, penalty)
  let weights = new Float64Array(modes.length)
  let aligned = goal
  let similarity = fitSimilarity3d(goal, goal)
  for (let round = 0; round < 3; round++) {
    weights = solve(aligned.map((value, i) => value - mean[i]))
    if (range) clampInto(weights, first, range)
    const fitted = combine(mean, modes, weights)
    similarity = fitSimilarity3d(goal, fitted)
    aligned = applySimilarity3d(similarity, goal)
  }
  if (range) {
    // Identity takes what clamped expressions can no longer explain.
    const fixed = combine(
      mean,
      modes,
      weights.map((value, k) => (k < first ? 0 : value)),
    )
    const inner = normalEquations(modes.slice(0, first), penalty.slice(0, first))
    weights.set(inner(aligned.map((value, i) => value - fixed[i])))
  }
  return {
    identity: Float32Array.from(weights.subarray(0, first)),
    expression: Float32Array.from(weights.subarray(first)),
    similarity,
    shapeError: rootMeanSquare(combine(mean, modes, weights), aligned) * Math.sqrt(3),
  }
}

function fitAlbedo(
  from: MorphableModel,
  to: MorphableModel,
  { albedo }: FaceCoefficients,
  correspondence: SurfaceCorrespondence,
  rows: Int32Array,
) {
  const at = (mean: NdArray<Float32Array>, basis: NdArray<Float32Array>) =>
    pickRows(denseData(transferValues(correspondence, evaluate(mean, [[basis, albedo]]))), rows)
  const goal = join(
    at(from.albedo.diffuseMean, from.albedo.diffuse),
    at(from.albedo.specularMean, from.albedo.specular),
  )
  const mean = join(
    pickRows(denseData(to.albedo.diffuseMean), rows),
    pickRows(denseData(to.albedo.specularMean), rows),
  )
  const diffuse = modesAt([to.albedo.diffuse], rows)
  const specular = modesAt([to.albedo.specular], rows)
  const modes = diffuse.map((mode, k) => join(mode, specular[k]))
  const penalty = new Float64Array(modes.length).fill(1e-4 * rows.length)
  const weights = normalEquations(modes, penalty)(goal.map((value, i) => value - mean[i]))
  const fitted = combine(mean, modes, weights)
  const half = rows.length * 3
  return {
    albedo: Float32Array.from(weights),
    albedoError: rootMeanSquare(fitted.subarray(0, half), goal.subarray(0, half)),
  }
}

function pickRows(data: ArrayLike<number>, rows: Int32Array): Float64Array {
  const result = new Float64Array(rows.length * 3)
  for (let i = 0; i < rows.length; i++) for (let c = 0; c < 3; c++) result[i * 3 + c] = data[rows[i] * 3 + c]
  return result
}

function modesAt(bases: readonly NdArray<Float32Array>[], rows: Int32Array): Float64Array[] {
  return bases.flatMap((basis) => {
    const data = denseData(basis)
    const size = basis.shape[1] * 3
    return Array.from({ length: basis.shape[0] }, (_, k) =>
      pickRows(data.subarray(k * size, (k + 1) * size), rows),
    )
  })
}

function clampInto(weights: Float64Array, first: number, [low, high]: readonly [number, number]): void {
  for (let k = first; k < weights.length; k++) weights[k] = Math.min(high, Math.max(low, weights[k]))
}

function rootMeanSquare(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2
  return Math.sqrt(sum / (a.length || 1))
}

function join(a: Float64Array, b: Float64Array): Float64Array {
  const result = new Float64Array(a.length + b.length)
  result.set(a)
  result.set(b, a.length)
  return result
}
