import type { NdArray } from 'ndarray'
import { denseData } from './dense-data.js'
import type { MorphableModel } from './morphable-model.js'

/** How much the modes of one part move. */
export interface PartStatistics {
  modes: number
  /** Root mean square length at a vertex of each mode at 1: mm, or linear RGB. */
  sizes: number[]
  /** Share of the sum of all modes' squares that the first so many modes have; for modes that are orthogonal, the variance
   * explained. */
  cumulative: number[]
}

/** Sizes of a model, and of its modes. */
export interface ModelStatistics {
  vertexCount: number
  triangleCount: number
  innerMouthTriangleCount: number
  polygonCount: number
  regions: string[]
  /** `[low, high]` of the mean, mm. */
  bounds: { low: [number, number, number]; high: [number, number, number] }
  /** Distance of the outer corners of the eyes, mm. */
  eyeDistance: number
  identity: PartStatistics
  expression: PartStatistics
  diffuse: PartStatistics
  specular: PartStatistics
}

/** Measures a model: what it holds, and how large its modes are. */
export function modelStatistics(model: MorphableModel): ModelStatistics {
  const mean = denseData(model.shape.mean)
  const low: [number, number, number] = [Infinity, Infinity, Infinity]
  const high: [number, number, number] = [-Infinity, -Infinity, -Infinity]
  for (let i = 0; i < mean.length; i++) {
    low[i % 3] = Math.min(low[i % 3], mean[i])
    high[i % 3] = Math.max(high[i % 3], mean[i])
  }
  const [right, left] = [model.landmarks[36], model.landmarks[45]]
  return {
    vertexCount: model.vertexCount,
    triangleCount: model.triangles.length / 3,
    innerMouthTriangleCount: model.innerMouthTriangles.length / 3,
    polygonCount: (model.polygons?.length ?? 0) / 4,
    regions: Object.keys(model.regions ?? {}),
    bounds: { low, high },
    eyeDistance: Math.hypot(...[0, 1, 2].map((c) => mean[right * 3 + c] - mean[left * 3 + c])),
    identity: statisticsOf(model.shape.identity),
    expression: statisticsOf(model.shape.expression),
    diffuse: statisticsOf(model.albedo.diffuse),
    specular: statisticsOf(model.albedo.specular),
  }
}

function statisticsOf(basis: NdArray<Float32Array>): PartStatistics {
  const [modes, count] = basis.shape
  const data = denseData(basis)
  const squares = Array.from({ length: modes }, (_, k) => {
    let sum = 0
    for (let i = k * count * 3; i < (k + 1) * count * 3; i++) sum += data[i] * data[i]
    return sum
  })
  const total = squares.reduce((sum, value) => sum + value, 0)
  let so = 0
  return {
    modes,
    sizes: squares.map((value) => Math.sqrt(value / count)),
    cumulative: squares.map((value) => (so += value) / (total || 1)),
  }
}
