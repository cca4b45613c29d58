/** A point of a surface. */
export interface SurfacePoint {
  corners: [number, number, number]
  /** Shares of the corners, which add up to 1. */
  shares: [number, number, number]
  point: [number, number, number]
}

/** The closest point of a surface for each vertex of a mesh, among triangles that face the same way (within 60 degrees), so
 * that eyelids do not find the inside of sockets.
 *
 * @param points - `[N * 3]`
 * @param vertices - `[M * 3]` of the surface
 * @param triangles - of the surface
 * @param own - triangles of the mesh that `points` are of
 */
export function closestOnTriangles(
  points: Float64Array,
  vertices: Float64Array,
  triangles: Int32Array,
  own: readonly number[],
): SurfacePoint[] {
  const normals = vertexNormals(points, own)
  const count = triangles.length / 3
  const faces = Array.from({ length: count }, (_, t) => {
    const corners = [triangles[t * 3], triangles[t * 3 + 1], triangles[t * 3 + 2]] as [number, number, number]
    const [a, b, c] = corners.map((i) => vertices.subarray(i * 3, i * 3 + 3))
    const normal = cross(minus(b, a), minus(c, a))
    const length = Math.hypot(...normal) || 1
    const center = [0, 1, 2].map((k) => (a[k] + b[k] + c[k]) / 3)
    const radius = Math.max(...[a, b, c].map((p) => Math.hypot(...minus(p, center))))
    return { corners, a, b, c, normal: normal.map((value) => value / length), center, radius }
  })
  return Array.from({ length: points.length / 3 }, (_, v) => {
    const p = points.subarray(v * 3, v * 3 + 3)
    const n = normals.subarray(v * 3, v * 3 + 3)
    let best: SurfacePoint | undefined
    let least = Infinity
    for (const { corners, a, b, c, normal, center, radius } of faces) {
      if (Math.hypot(p[0] - center[0], p[1] - center[1], p[2] - center[2]) - radius > least) continue
      if (dot(normal, n) < 0.5) continue
      const shares = closestShares(p, a, b, c)
      const point = [0, 1, 2].map((k) => shares[0] * a[k] + shares[1] * b[k] + shares[2] * c[k]) as [
        number,
        number,
        number,
      ]
      const distance = Math.hypot(...minus(point, p))
      if (distance < least) [best, least] = [{ corners, shares, point }, distance]
    }
    if (!best) throw new Error(`closestOnTriangles: nothing faces vertex ${v}'s way`)
    return best
  })
}

type Point = ArrayLike<number>
const minus = (a: Point, b: Point) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
const dot = (a: Point, b: Point) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
const cross = (a: Point, b: Point) => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
]

/** Closest point of a triangle in shares of its corners (Ericson, "Real-Time Collision Detection", 5.1.5). */
function closestShares(p: Point, a: Point, b: Point, c: Point): [number, number, number] {
  const [ab, ac] = [minus(b, a), minus(c, a)]
  const [ap, bp, cp] = [minus(p, a), minus(p, b), minus(p, c)]
  const [d1, d2] = [dot(ab, ap), dot(ac, ap)]
  if (d1 <= 0 && d2 <= 0) return [1, 0, 0]
  const [d3, d4] = [dot(ab, bp), dot(ac, bp)]
  if (d3 >= 0 && d4 <= d3) return [0, 1, 0]
  const [d5, d6] = [dot(ab, cp), dot(ac, cp)]
  if (d6 >= 0 && d5 <= d6) return [0, 0, 1]
  const vc = d1 * d4 - d3 * d2
  if (vc <= 0 && d1 >= 0 && d3 <= 0) return [1 - d1 / (d1 - d3), d1 / (d1 - d3), 0]
  const vb = d5 * d2 - d1 * d6
  if (vb <= 0 && d2 >= 0 && d6 <= 0) return [1 - d2 / (d2 - d6), 0, d2 / (d2 - d6)]
  const va = d3 * d6 - d5 * d4
  if (va <= 0 && d4 - d3 >= 0 && d5 - d6 >= 0) {
    const w = (d4 - d3) / (d4 - d3 + (d5 - d6))
    return [0, 1 - w, w]
  }
  const sum = va + vb + vc || 1
  return [va / sum, vb / sum, vc / sum]
}

function vertexNormals(points: Float64Array, triangles: readonly number[]): Float64Array {
  const normals = new Float64Array(points.length)
  for (let t = 0; t < triangles.length; t += 3) {
    const corners = [triangles[t], triangles[t + 1], triangles[t + 2]]
    const [a, b, c] = corners.map((i) => points.subarray(i * 3, i * 3 + 3))
    const normal = cross(minus(b, a), minus(c, a))
    for (const i of corners) for (let k = 0; k < 3; k++) normals[i * 3 + k] += normal[k]
  }
  for (let i = 0; i < normals.length; i += 3) {
    const length = Math.hypot(normals[i], normals[i + 1], normals[i + 2]) || 1
    for (let k = 0; k < 3; k++) normals[i + k] /= length
  }
  return normals
}
