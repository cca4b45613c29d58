import { normalsForward } from './cpu/vertex-normals.js'

/** Unit normals `[N * 3]` of vertices, weighted by area; 0, 0, 0 where there is no area.
 *
 * @param positions - `[N * 3]`
 * @param triangles - `[F * 3]` vertex indices, counter-clockwise seen from outside
 */
export function normalsOf(positions: ArrayLike<number>, triangles: Int32Array): Float32Array {
  const count = positions.length / 3
  const normals = new Float32Array(count * 3)
  normalsForward(
    { positions: Float32Array.from(positions), triangles, batch: 1, count },
    normals,
    new Float32Array(count),
  )
  return normals
}
