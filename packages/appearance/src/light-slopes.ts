import { luminance } from './luminance.js'

/** Tangents of a surface along UV, at its vertices, and the size of UV on it. */
interface Tangents {
  /** `[N * 3]` unit length, along u and along v. */
  u: Float32Array
  v: Float32Array
  /** Length on the surface of the whole width of UV, mm. */
  width: number
}

/** How the light changes where a surface tilts: the part of grad E / E in the directions of u and v, for each vertex.
 *
 * @param positions - `[N * 3]` world space
 * @param normals - like `positions`
 * @param harmonics - `[27]` as of `shadeDiffuse`
 * @param uv - `[N * 2]`
 */
export function lightSlopes(
  positions: Float32Array,
  normals: Float32Array,
  harmonics: Float32Array,
  uv: Float32Array,
  triangles: Int32Array,
): { slopes: Float32Array; width: number } {
  const tangents = surfaceTangents(positions, uv, triangles)
  const c = Array.from({ length: 9 }, (_, k) => luminance(harmonics, 3 * k))
  const slopes = new Float32Array((positions.length / 3) * 2)
  for (let i = 0; i < positions.length; i += 3) {
    const [x, y, z] = [normals[i], normals[i + 1], normals[i + 2]]
    const irradiance =
      0.282095 * c[0] +
      0.488603 * (y * c[1] + z * c[2] + x * c[3]) +
      1.092548 * (x * y * c[4] + y * z * c[5] + x * z * c[7]) +
      0.315392 * (3 * z * z - 1) * c[6] +
      0.546274 * (x * x - y * y) * c[8]
    const gradient = [
      0.488603 * c[3] + 1.092548 * (y * c[4] + z * c[7] + x * c[8]),
      0.488603 * c[1] + 1.092548 * (x * c[4] + z * c[5] - y * c[8]),
      0.488603 * c[2] + 1.092548 * (y * c[5] + x * c[7]) + 6 * 0.315392 * z * c[6],
    ]
    const strength = Math.max(irradiance, 0.1)
    for (const [axis, tangent] of [tangents.u, tangents.v].entries()) {
      let along = 0
      for (let k = 0; k < 3; k++) along += gradient[k] * tangent[i + k]
      // The normal tilts against the slope.
      slopes[(2 * i) / 3 + axis] = along / strength
    }
  }
  return { slopes, width: tangents.width }
}

function surfaceTangents(positions: Float32Array, uv: Float32Array, triangles: Int32Array): Tangents {
  const u = new Float32Array(positions.length)
  const v = new Float32Array(positions.length)
  let [surface, flat] = [0, 0]
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [triangles[t], triangles[t + 1], triangles[t + 2]]
    const [u1, v1] = [uv[2 * b] - uv[2 * a], uv[2 * b + 1] - uv[2 * a + 1]]
    const [u2, v2] = [uv[2 * c] - uv[2 * a], uv[2 * c + 1] - uv[2 * a + 1]]
    const area = u1 * v2 - u2 * v1
    // Those that span all others have none that counts.
    if (Math.abs(area) < 1e-9 || Math.abs(area) > 1e-2) continue
    const first = [0, 1, 2].map((k) => positions[3 * b + k] - positions[3 * a + k])
    const second = [0, 1, 2].map((k) => positions[3 * c + k] - positions[3 * a + k])
    const cross = [0, 1, 2].map(
      (k) => first[(k + 1) % 3] * second[(k + 2) % 3] - first[(k + 2) % 3] * second[(k + 1) % 3],
    )
    surface += Math.hypot(...cross)
    flat += Math.abs(area)
    const sign = Math.sign(area)
    for (let k = 0; k < 3; k++) {
      for (const vertex of [a, b, c]) {
        u[3 * vertex + k] += sign * (v2 * first[k] - v1 * second[k])
        v[3 * vertex + k] += sign * (u1 * second[k] - u2 * first[k])
      }
    }
  }
  for (const field of [u, v]) {
    for (let i = 0; i < field.length; i += 3) {
      const length = Math.hypot(field[i], field[i + 1], field[i + 2]) || 1
      for (let k = 0; k < 3; k++) field[i + k] /= length
    }
  }
  return { u, v, width: Math.sqrt(surface / Math.max(flat, 1e-9)) }
}
