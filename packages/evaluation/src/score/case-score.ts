import { applySimilarity3d, type Similarity3d, type Surface } from '@facekit/mesh'
import type { SpaceLandmarks } from '../datasets/evaluation-dataset.js'
import { quantileOf } from '../measures/summarize.js'
import type { Scores } from './score-measures.js'

/** What a method says about a face. Absent is what it does not give. */
export interface Prediction {
  /** Mesh, mm, with y up and z out of the face where its landmarks are not known. */
  surface?: Surface
  /** Landmarks of the mesh. */
  landmarks?: SpaceLandmarks
  /** `[85 * 3]` REALY's keypoints of the mesh, NaN where unknown; default: those of `landmarks`. */
  keypoints?: ArrayLike<number>
  /** `[68 * 2]` landmarks in the first picture, pixels. */
  pictureLandmarks?: ArrayLike<number>
  /** Mean absolute colour difference over the face, 0..1. */
  color?: number
  /** Vertices and triangles of the method's other meshes. */
  others?: { vertices: number; triangles: number }
}

/** How a face was scored. */
export interface CaseScore {
  scores: Scores
  /** 201 quantiles of the main distances over the face, mm, for curves over all of its points; absent without a scan. */
  quantiles?: number[]
  /** Points that they are of. */
  points?: number
  /** Hints, a line each: what was found odd and did not hinder. */
  hints: string[]
  /** The scan's part that counted with its errors, mm, in the space of the prediction; for maps. */
  map?: { surface: Surface; errors: Float64Array }
}

/** Distances in 201 quantiles. */
export function sketch(distances: Float64Array): Pick<CaseScore, 'quantiles' | 'points'> {
  const sorted = distances.filter((value) => !Number.isNaN(value)).sort()
  const quantiles = Array.from({ length: 201 }, (_, i) => Number(quantileOf(sorted, i / 200).toPrecision(5)))
  return { quantiles, points: sorted.length }
}

/** A surface after a similarity. */
export const movedBy = (surface: Surface, similarity: Similarity3d): Surface => ({
  positions: applySimilarity3d(similarity, surface.positions),
  triangles: surface.triangles,
})
