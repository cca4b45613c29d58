import { type Surface, surfaceTarget, type SurfaceTarget } from '@facekit/mesh'

/** Options of `pointToSurface` and `pointToPlane`. */
export interface SurfaceDistanceOptions {
  /** Whether points whose nearest point is on the surface's rim count; those that do not are NaN. Default true. */
  border?: boolean
}

/** Distance of each point from the nearest point of a surface: "point to point" where the surface is what it is compared with.
 *
 * @param points - `[P * 3]`
 * @param surface - in the same space and unit
 * @returns `[P]`, at least 0; NaN where the point does not count
 */
export function pointToSurface(
  points: ArrayLike<number>,
  surface: Surface | SurfaceTarget,
  options: SurfaceDistanceOptions = {},
): Float64Array {
  return distances(points, surface, options, (_, __, distance) => distance)
}

/** Distance of each point from the plane through the nearest point of a surface, along its normal there (interpolated over the triangle).
 *
 * Never larger than `pointToSurface`; smaller at rims and sharp edges. The paper's measure (section 5.2), after `alignIcp`.
 *
 * @param points - `[P * 3]`
 * @param surface - in the same space and unit
 * @returns `[P]`, at least 0; NaN where the point does not count
 */
export function pointToPlane(
  points: ArrayLike<number>,
  surface: Surface | SurfaceTarget,
  options: SurfaceDistanceOptions = {},
): Float64Array {
  return distances(points, surface, options, (offset, normal) =>
    Math.abs(offset[0] * normal[0] + offset[1] * normal[1] + offset[2] * normal[2]),
  )
}

function distances(
  points: ArrayLike<number>,
  surface: Surface | SurfaceTarget,
  { border = true }: SurfaceDistanceOptions,
  measure: (offset: number[], normal: number[], distance: number) => number,
): Float64Array {
  const target = 'tree' in surface ? surface : surfaceTarget(surface)
  const { positions, triangles, normals, tree } = target
  const result = new Float64Array(points.length / 3)
  for (let i = 0; i < result.length; i++) {
    const found = tree.nearest(points[i * 3], points[i * 3 + 1], points[i * 3 + 2])!
    const offset = [points[i * 3], points[i * 3 + 1], points[i * 3 + 2]]
    const normal = [0, 0, 0]
    let isRim = false
    for (let k = 0; k < 3; k++) {
      const [corner, w] = [triangles[found.triangle + k], found.weights[k]]
      isRim ||= w > 0 && target.border[corner] === 1
      for (let c = 0; c < 3; c++) {
        offset[c] -= w * positions[corner * 3 + c]
        normal[c] += w * normals[corner * 3 + c]
      }
    }
    const length = Math.hypot(...normal) || 1
    const unit = normal.map((value) => value / length)
    result[i] = isRim && !border ? Number.NaN : measure(offset, unit, found.distance)
  }
  return result
}
