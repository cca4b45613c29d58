import type { FaceMesh } from '../face-mesh.js'
import { applyStencils, combine, loopSubdivide, type Stencil } from '../loop-subdivision.js'

/** Each vertex as a weighted sum of control points: the vertices of the first of the two subdivisions, then one point for each
 * eyeball, which moves as a whole. */
export interface HalfMesh {
  stencils: Stencil[]
  /** Control points on the skin; the two of the eyeballs follow. */
  skinPoints: number
  /** All control points. */
  points: number
}

export function halfMesh(mesh: FaceMesh): HalfMesh {
  const skinPoints = mesh.half.stencils.length
  const own = Array.from({ length: skinPoints }, (_, i): Stencil => new Map([[i, 1]]))
  const stencils = loopSubdivide({ stencils: own, triangles: mesh.half.triangles }).stencils
  // The inner mouth's own vertices are middles of others, in the order in which the mesh was built.
  for (const [a, b] of mesh.patchEdges) {
    stencils.push(
      combine([
        [stencils[a], 0.5],
        [stencils[b], 0.5],
      ]),
    )
  }
  for (const i of mesh.lidEdges) stencils.push(stencils[i])
  mesh.eyeballs.forEach((eye, e) => {
    for (const _ of eye.distances) stencils.push(new Map([[skinPoints + e, 1]]))
  })
  return { stencils, skinPoints, points: skinPoints + mesh.eyeballs.length }
}

/** Values at the control points of the skin whose subdivision comes near to a field: steps towards what is missing.
 *
 * @param field - `[S * 3]` at the skin's vertices, the first of which are the control points
 * @returns `[points * 3]`, 0 at the eyeballs'
 */
export function controlField(half: HalfMesh, field: Float64Array, skinEnd: number, rounds = 6): Float64Array {
  const rows = half.stencils.slice(0, skinEnd)
  const control = new Float64Array(half.points * 3)
  control.set(field.subarray(0, half.skinPoints * 3))
  for (let round = 0; round < rounds; round++) {
    const made = applyStencils(rows.slice(0, half.skinPoints), control)
    for (let i = 0; i < half.skinPoints * 3; i++) control[i] += 0.8 * (field[i] - made[i])
  }
  return control
}
