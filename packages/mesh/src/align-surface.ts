import { applySimilarity3d, fitSimilarity3d, type Similarity3d } from './similarity-3d.js'
import { nearestDisplacements, type Surface, type SurfaceTarget } from './surface-target.js'

/** How much work `alignSurface` does. */
export interface AlignOptions {
  /** Steps. Default 15. */
  rounds?: number
  /** Vertices that are looked at: every n-th. Default 10. */
  step?: number
}

/** Farthest that a point of the target is believed: on the way, and to count as a match, mm. */
const REACH = 48
const MATCH = 12

/** What `alignSurface` finds. */
export interface AlignedSurface {
  /** `[N * 3]` vertices after the similarity. */
  positions: Float64Array
  /** Share of the vertices that lie within 12 mm of the target, with normals that agree. 0..1 */
  matched: number
  /** Mean distance of those, mm. */
  distance: number
}

/** Brings a surface onto another one by a similarity, from one that is roughly known: steps towards the nearest points whose normals
 * agree (iterative closest points).
 *
 * @param from - mm
 * @param target - of `surfaceTarget`
 * @param start - to the space of the target
 */
export function alignSurface(
  from: Surface,
  target: SurfaceTarget,
  start: Similarity3d,
  { rounds = 15, step = 10 }: AlignOptions = {},
): AlignedSurface {
  const { triangles } = from
  let positions = applySimilarity3d(start, from.positions)
  const last = new Int32Array(positions.length / 3).fill(-1)
  for (let i = 0; i < rounds; i++) {
    const options = { reach: REACH, step, last }
    const { displacements, weights } = nearestDisplacements({ positions, triangles }, target, options)
    if (weights.filter((weight) => weight > 0).length < 3) break
    const goal = positions.map((value, at) => value + displacements[at])
    positions = applySimilarity3d(fitSimilarity3d(positions, goal, weights), positions)
  }
  const options = { reach: MATCH, step, last }
  const { displacements, weights } = nearestDisplacements({ positions, triangles }, target, options)
  let matched = 0
  let distance = 0
  weights.forEach((weight, v) => {
    matched += weight
    distance += weight * Math.hypot(displacements[v * 3], displacements[v * 3 + 1], displacements[v * 3 + 2])
  })
  return {
    positions,
    matched: matched / Math.ceil(weights.length / step),
    distance: matched > 0 ? distance / matched : Infinity,
  }
}
