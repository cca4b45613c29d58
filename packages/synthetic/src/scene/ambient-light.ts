/** Directions from which light comes, and width and height of the pictures that they take. */
const DIRECTIONS = 48
const SIZE = 144
/** Half of what the pictures show, mm, and how far behind what is seen a vertex may lie and still be lit. */
const REACH = 170
const BIAS = 2.5
/** What gets to the deepest fold. */
const LEAST = 0.3

/** How much of the light that comes evenly from all sides gets to each vertex of a mesh: 1 where nothing is in the way. Pictures of the
 * mesh from many sides say which vertices each side sees.
 *
 * @param positions - `[N * 3]` mm; vertices that no triangle uses get 1
 * @returns `[N]` cosine-weighted share, `LEAST` at the least
 */
export function ambientLight(positions: ArrayLike<number>, triangles: ArrayLike<number>): Float32Array {
  const count = positions.length / 3
  const normals = normalsOf(positions, triangles)
  const lit = new Float32Array(count)
  const all = new Float32Array(count)
  const depth = new Float32Array(SIZE * SIZE)
  const seen = new Float32Array(count * 3)
  for (let i = 0; i < DIRECTIONS; i++) {
    // Points of a Fibonacci spiral lie evenly on a sphere.
    const z = 1 - (2 * i + 1) / DIRECTIONS
    const turn = i * Math.PI * (3 - Math.sqrt(5))
    const [x, y] = [Math.sqrt(1 - z * z) * Math.cos(turn), Math.sqrt(1 - z * z) * Math.sin(turn)]
    look(positions, [x, y, z], seen)
    takePicture(seen, triangles, depth)
    for (let v = 0; v < count; v++) {
      const cosine = normals[v * 3] * x + normals[v * 3 + 1] * y + normals[v * 3 + 2] * z
      if (cosine <= 0) continue
      all[v] += cosine
      const [column, row] = [Math.floor(seen[v * 3]), Math.floor(seen[v * 3 + 1])]
      const inside = column >= 0 && row >= 0 && column < SIZE && row < SIZE
      if (!inside || seen[v * 3 + 2] > depth[row * SIZE + column] - BIAS) lit[v] += cosine
    }
  }
  return lit.map((value, v) => (all[v] > 0 ? Math.max(LEAST, value / all[v]) : 1))
}

/** Coordinates in the picture and, towards whoever looks, in mm. */
function look(positions: ArrayLike<number>, direction: readonly number[], seen: Float32Array): void {
  const [x, y, z] = direction
  const flat = Math.hypot(x, z) || 1e-6
  const right = [z / flat, 0, -x / flat]
  const up = [-(x * y) / flat, flat, -(z * y) / flat]
  const scale = SIZE / (2 * REACH)
  for (let v = 0; v < seen.length; v += 3) {
    const [px, py, pz] = [positions[v], positions[v + 1], positions[v + 2]]
    seen[v] = SIZE / 2 + scale * (px * right[0] + pz * right[2])
    seen[v + 1] = SIZE / 2 - scale * (px * up[0] + py * up[1] + pz * up[2])
    seen[v + 2] = px * x + py * y + pz * z
  }
}

/** Nearest depth at each pixel centre. */
function takePicture(seen: Float32Array, triangles: ArrayLike<number>, depth: Float32Array): void {
  depth.fill(-Infinity)
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [triangles[t] * 3, triangles[t + 1] * 3, triangles[t + 2] * 3]
    const area =
      (seen[b] - seen[a]) * (seen[c + 1] - seen[a + 1]) - (seen[c] - seen[a]) * (seen[b + 1] - seen[a + 1])
    if (Math.abs(area) < 1e-9) continue
    const top = Math.max(0, Math.ceil(Math.min(seen[a + 1], seen[b + 1], seen[c + 1]) - 0.5))
    const bottom = Math.min(SIZE - 1, Math.floor(Math.max(seen[a + 1], seen[b + 1], seen[c + 1]) - 0.5))
    const left = Math.max(0, Math.ceil(Math.min(seen[a], seen[b], seen[c]) - 0.5))
    const right = Math.min(SIZE - 1, Math.floor(Math.max(seen[a], seen[b], seen[c]) - 0.5))
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) {
        const [x, y] = [column + 0.5, row + 0.5]
        const u = ((seen[b] - x) * (seen[c + 1] - y) - (seen[c] - x) * (seen[b + 1] - y)) / area
        const v = ((seen[c] - x) * (seen[a + 1] - y) - (seen[a] - x) * (seen[c + 1] - y)) / area
        if (u < 0 || v < 0 || u + v > 1) continue
        const z = u * seen[a + 2] + v * seen[b + 2] + (1 - u - v) * seen[c + 2]
        const at = row * SIZE + column
        if (z > depth[at]) depth[at] = z
      }
    }
  }
}

/** `[N * 3]` normals of a mesh, unit length. */
export function normalsOf(positions: ArrayLike<number>, triangles: ArrayLike<number>): Float32Array {
  const result = new Float32Array(positions.length)
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [triangles[t] * 3, triangles[t + 1] * 3, triangles[t + 2] * 3]
    const [ux, uy, uz] = [0, 1, 2].map((i) => positions[b + i] - positions[a + i])
    const [vx, vy, vz] = [0, 1, 2].map((i) => positions[c + i] - positions[a + i])
    const normal = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx]
    for (const corner of [a, b, c]) for (let i = 0; i < 3; i++) result[corner + i] += normal[i]
  }
  for (let v = 0; v < result.length; v += 3) {
    const length = Math.hypot(result[v], result[v + 1], result[v + 2]) || 1
    for (let i = 0; i < 3; i++) result[v + i] /= length
  }
  return result
}
