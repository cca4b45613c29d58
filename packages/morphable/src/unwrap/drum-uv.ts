import { meshNeighbours } from '@facekit/mesh'

const SWEEPS = 3000

/** A disc spanned like the skin of a drum: the border on a circle, each other vertex in the mean of its neighbours (Tutte 1963). Nothing
 * folds, but what is far from the border becomes small.
 *
 * @param count - vertices
 * @param triangles - `[F * 3]` of one piece
 * @param border - its border, in the order of the triangles along it
 * @returns `[N * 2]` in the unit circle
 */
export function drumCoordinates(count: number, triangles: Int32Array, border: Int32Array): Float64Array {
  const result = new Float64Array(count * 2)
  const fixed = new Uint8Array(count)
  border.forEach((vertex, i) => {
    const angle = (2 * Math.PI * i) / border.length
    result.set([Math.cos(angle), Math.sin(angle)], vertex * 2)
    fixed[vertex] = 1
  })
  const { start, list } = meshNeighbours(triangles, count)
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (let v = 0; v < count; v++) {
      if (fixed[v] || start[v] === start[v + 1]) continue
      let [x, y] = [0, 0]
      for (let i = start[v]; i < start[v + 1]; i++) {
        x += result[list[i] * 2]
        y += result[list[i] * 2 + 1]
      }
      const share = 1 / (start[v + 1] - start[v])
      // Over-relaxed: the mean, and some more.
      for (const [c, value] of [x, y].entries()) {
        result[v * 2 + c] += 1.8 * (value * share - result[v * 2 + c])
      }
    }
  }
  return result
}

/** Moves the vertices of such a disc along its radii, in place, until rings of equal width hold about equal parts of the surface for their
 * area.
 *
 * @param positions - `[N * 3]` mm
 */
export function spreadEvenly(uv: Float64Array, positions: Float64Array, triangles: Int32Array): void {
  const areas = new Float64Array(uv.length / 2)
  for (let t = 0; t < triangles.length; t += 3) {
    const corners = [triangles[t], triangles[t + 1], triangles[t + 2]]
    const [a, b, c] = corners.map((vertex) => [0, 1, 2].map((axis) => positions[vertex * 3 + axis]))
    const [u, v] = [b, c].map((point) => point.map((value, axis) => value - a[axis]))
    const area = Math.hypot(u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0])
    for (const vertex of corners) areas[vertex] += area
  }
  centre(uv, areas)
  const radius = (v: number) => Math.hypot(uv[v * 2], uv[v * 2 + 1])
  const order = Uint32Array.from(areas.keys()).sort((a, b) => radius(a) - radius(b))
  const total = areas.reduce((sum, value) => sum + value, 0)
  let inside = 0
  for (const v of order) {
    inside += areas[v]
    const factor = Math.sqrt(inside / total) / (radius(v) || 1)
    uv[v * 2] *= factor
    uv[v * 2 + 1] *= factor
  }
}

/** Moves the disc into itself (a Moebius transformation), in place, until the surface lies evenly around its middle. */
function centre(uv: Float64Array, areas: Float64Array): void {
  const total = areas.reduce((sum, value) => sum + value, 0)
  for (let round = 0; round < 200; round++) {
    let [a, b] = [0, 0]
    for (let v = 0; v < areas.length; v++) {
      a += (areas[v] * uv[v * 2]) / total
      b += (areas[v] * uv[v * 2 + 1]) / total
    }
    if (Math.hypot(a, b) < 1e-9) return
    for (let v = 0; v < areas.length; v++) {
      const [x, y] = [uv[v * 2], uv[v * 2 + 1]]
      // (z - c) / (1 - conj(c) z)
      const [top, side] = [x - a, y - b]
      const [real, imaginary] = [1 - a * x - b * y, b * x - a * y]
      const square = real * real + imaginary * imaginary || 1
      uv[v * 2] = (top * real + side * imaginary) / square
      uv[v * 2 + 1] = (side * real - top * imaginary) / square
    }
  }
}
