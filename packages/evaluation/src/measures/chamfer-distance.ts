import type { Surface } from '@facekit/mesh'
import { rowsOf, usedVertices } from './align-icp.js'
import { pointToSurface } from './surface-distances.js'
import { summarize } from './summarize.js'

/** Chamfer distance of two surfaces: mean distance of each one's vertices from the other, and the mean of both.
 *
 * Distances are to the surface, not to its vertices, and not squared. Both surfaces are to be cropped to the same region first: what only
 * one of them has counts.
 *
 * @param a - any unit
 * @param b - in the same space and unit
 */
export function chamferDistance(a: Surface, b: Surface): { distance: number; aToB: number; bToA: number } {
  const one = (from: Surface, to: Surface) =>
    summarize(pointToSurface(rowsOf(from.positions, usedVertices(from.triangles)), to)).mean
  const [aToB, bToA] = [one(a, b), one(b, a)]
  return { distance: (aToB + bToA) / 2, aToB, bToA }
}
