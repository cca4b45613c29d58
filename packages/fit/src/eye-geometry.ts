import type { MorphableModel } from '@facekit/morphable'
import { solveNormalEquations } from './solve-normal-equations.js'

/** One eye of a fitted head, in the head's own space. */
export interface EyeGeometry {
  /** Centre of the eyeball, mm. */
  centre: [number, number, number]
  /** Where it looks: unit length, from the centre of the eyeball through that of the iris. */
  gaze: [number, number, number]
  /** Diameter of the iris, mm of the model. */
  irisDiameter: number
}

/** Both eyes of a head; undefined for a model without the regions `iris`, `eyeLeft` and `eyeRight`.
 *
 * @param vertices - `[N * 3]` mm, without pose
 */
export function eyeGeometry(
  model: MorphableModel,
  vertices: ArrayLike<number>,
): { left: EyeGeometry; right: EyeGeometry } | undefined {
  const { iris, eyeLeft, eyeRight } = model.regions ?? {}
  if (!iris?.length || !eyeLeft?.length || !eyeRight?.length) return undefined
  const isIris = new Set(iris)
  const eye = (region: Int32Array): EyeGeometry => {
    const own = region.filter((vertex) => isIris.has(vertex))
    const centre = sphereCentre(vertices, region)
    const middle = centroid(vertices, own)
    const direction = middle.map((value, axis) => value - centre[axis])
    const length = Math.hypot(...direction) || 1
    let radius = 0
    for (const vertex of own) {
      const away = [0, 1, 2].map((axis) => vertices[3 * vertex + axis] - middle[axis])
      const along = away.reduce((sum, value, axis) => sum + (value * direction[axis]) / length, 0)
      radius = Math.max(radius, Math.sqrt(Math.max(0, Math.hypot(...away) ** 2 - along * along)))
    }
    return {
      centre,
      gaze: direction.map((value) => value / length) as EyeGeometry['gaze'],
      irisDiameter: 2 * radius,
    }
  }
  return { left: eye(eyeLeft), right: eye(eyeRight) }
}

function centroid(vertices: ArrayLike<number>, region: ArrayLike<number>): [number, number, number] {
  const sum: [number, number, number] = [0, 0, 0]
  for (let i = 0; i < region.length; i++)
    for (let axis = 0; axis < 3; axis++) sum[axis] += vertices[3 * region[i] + axis] / region.length
  return sum
}

/** Centre of the sphere through points, by linear least squares: |p|^2 = 2 p.c + constant. */
function sphereCentre(vertices: ArrayLike<number>, region: ArrayLike<number>): [number, number, number] {
  const middle = centroid(vertices, region)
  const normal = Array.from({ length: 4 }, () => new Float64Array(4))
  const right = [0, 0, 0, 0]
  for (let i = 0; i < region.length; i++) {
    const p = [0, 1, 2].map((axis) => vertices[3 * region[i] + axis] - middle[axis])
    const row = [2 * p[0], 2 * p[1], 2 * p[2], 1]
    const value = p[0] ** 2 + p[1] ** 2 + p[2] ** 2
    for (let a = 0; a < 4; a++) {
      right[a] += row[a] * value
      for (let b = 0; b <= a; b++) normal[a][b] += row[a] * row[b]
    }
  }
  for (let a = 0; a < 4; a++) normal[a][a] += 1e-6
  const c = solveNormalEquations(normal, right)
  return [middle[0] + c[0], middle[1] + c[1], middle[2] + c[2]]
}
