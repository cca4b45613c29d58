/** Triangles of polygons: each as a fan around its first corner.
 *
 * @returns `[F * 3]` vertex indices
 */
export function fanPolygons(polygons: readonly ArrayLike<number>[]): Int32Array {
  const triangles: number[] = []
  for (const polygon of polygons) {
    for (let k = 1; k + 1 < polygon.length; k++) triangles.push(polygon[0], polygon[k], polygon[k + 1])
  }
  return Int32Array.from(triangles)
}
