import { alignSurface } from './align-surface.js'
import { averageOverNeighbours, meshNeighbours, type Neighbours } from './mesh-neighbours.js'
import { applySimilarity3d, fitSimilarity3d, type Similarity3d } from './similarity-3d.js'
import { nearestDisplacements, surfaceTarget, type Surface } from './surface-target.js'
import { warpByPoints } from './warp-by-points.js'

/** What is known before a registration: pairs of points, `[P * 3]` each, or a first similarity. */
export interface RegistrationStart {
  points?: { from: ArrayLike<number>; to: ArrayLike<number> }
  similarity?: Similarity3d
}

/** Smoothing passes over the displacements, from stiff to soft. */
const SCHEDULE = [60, 60, 40, 40, 25, 25, 15, 15, 8, 8, 4, 4]
/** Farthest that a point of the target is believed, mm. */
const REACH = 12

/** Brings a surface onto another one: a similarity, a smooth warp through pairs of points, then steps towards the nearest
 * points of the target whose normals agree, smoothed over the surface, ever softer.
 *
 * @param from - deforms; mm
 * @param to - stays; mm
 * @returns `[N * 3]` the vertices of `from` in the space of `to`
 */
export function registerMesh(from: Surface, to: Surface, start: RegistrationStart): Float64Array {
  const { points } = start
  const { triangles } = from
  const target = surfaceTarget(to)
  const similarity = start.similarity ?? fitSimilarity3d(points!.from, points!.to)
  const positions = points
    ? warpByPoints(
        applySimilarity3d(similarity, points.from),
        points.to,
        40,
      )(applySimilarity3d(similarity, from.positions))
    : alignSurface(from, target, similarity).positions
  const count = positions.length / 3
  const last = new Int32Array(count).fill(-1)
  const neighbours = meshNeighbours(from.triangles, count)
  for (const passes of SCHEDULE) {
    const options = { reach: REACH, step: 1, last }
    const { displacements, weights } = nearestDisplacements({ positions, triangles }, target, options)
    const smooth = smoothed(neighbours, displacements, weights, passes)
    for (let i = 0; i < positions.length; i++) positions[i] += smooth[i]
  }
  return positions
}

/** Displacements averaged over neighbours again and again; vertices without one of their own take those around them. */
function smoothed(
  neighbours: Neighbours,
  displacements: Float64Array,
  weights: Float64Array,
  passes: number,
): Float64Array {
  let state = { values: displacements, weights }
  for (let i = 0; i < passes; i++) {
    state = averageOverNeighbours(neighbours, state.values, state.weights, 3)
  }
  return state.values
}
