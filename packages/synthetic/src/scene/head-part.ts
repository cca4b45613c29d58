import { labelOf } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import type { Vector3 } from '../vector.js'
import { gridTriangles, mix, smoothstep, type Host, type MeshPart } from './mesh-part.js'

/** From where the head is seen as a star: each direction meets its surface once. */
export const HEAD_CENTER: Vector3 = [0, 20, -40]
/** How far along the way from the rim to the back of the head the rings lie. */
const RINGS = [0, 0.035, 0.08, 0.14, 0.21, 0.3, 0.41, 0.54, 0.68, 0.84, 1]

/** Distance from `HEAD_CENTER` to the surface of a head without a face: half of an ellipsoid above, a flatter one below. */
function skullRadius([x, y, z]: Vector3): number {
  const height = y > 0 ? 116 : 92
  return 1 / Math.hypot(x / 77, y / height, z / 100)
}

/** The head behind a face model: its surface goes on from the rim, first as it came, then as a skull, to the back of the head.
 *
 * The first ring is the rim itself.
 */
export function headPart(model: MorphableModel, rim: Int32Array): MeshPart {
  const mean = model.shape.mean.data
  const columns = rim.length
  const positions: number[] = []
  const hosts: Host[] = []
  const uv: number[] = []
  const openness: number[] = []
  for (const [ring, t] of RINGS.entries()) {
    for (let i = 0; i < columns; i++) {
      const vertex = rim[i]
      const offset = [0, 1, 2].map((c) => mean[vertex * 3 + c] - HEAD_CENTER[c])
      const radius = Math.hypot(...offset)
      const polar = Math.acos(offset[2] / radius)
      const azimuth = Math.atan2(offset[1], offset[0])
      const angle = mix(polar, Math.PI, t)
      const direction: Vector3 = [
        Math.sin(angle) * Math.cos(azimuth),
        Math.sin(angle) * Math.sin(azimuth),
        Math.cos(angle),
      ]
      const distance = mix(radius, skullRadius(direction), smoothstep(0, 0.45, t))
      for (let c = 0; c < 3; c++) positions.push(HEAD_CENTER[c] + direction[c] * distance)
      // Far from the rim, what moves is an average of it.
      const reach = Math.round((ring * rim.length) / 48)
      const around = [-reach, 0, reach].map((step) => rim[(i + step + rim.length) % rim.length])
      hosts.push({
        vertices: around,
        weights: [0.25, 0.5, 0.25],
        identity: 1 - 0.35 * t,
        expression: 1 - smoothstep(0, 0.25, t),
      })
      uv.push(i / rim.length, t)
      // Below the chin it is dark.
      openness.push(1 - 0.45 * smoothstep(0, 0.12, t) * smoothstep(-0.35, -0.8, direction[1]))
    }
  }
  return {
    name: 'head',
    layer: 'head',
    material: 'skin',
    positions: Float32Array.from(positions),
    triangles: outwards(positions, gridTriangles(RINGS.length, columns, 0, true)),
    label: labelOf('skin'),
    shared: Int32Array.from({ length: positions.length / 3 }, (_, v) => (v < columns ? rim[v] : -1)),
    hosts,
    uv: Float32Array.from(uv),
    openness: Float32Array.from(openness),
  }
}

/** Turns triangles so that most of them look away from the middle of the head. */
export function outwards(
  positions: ArrayLike<number>,
  triangles: readonly number[],
  [cx, cy, cz]: Vector3 = HEAD_CENTER,
): Int32Array {
  let votes = 0
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [0, 1, 2].map((k) => [0, 1, 2].map((i) => positions[triangles[t + k] * 3 + i]))
    const u = b.map((value, i) => value - a[i])
    const v = c.map((value, i) => value - a[i])
    const normal = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]
    votes += normal[0] * (a[0] - cx) + normal[1] * (a[1] - cy) + normal[2] * (a[2] - cz)
  }
  const result = Int32Array.from(triangles)
  if (votes < 0) {
    for (let t = 0; t < result.length; t += 3) [result[t + 1], result[t + 2]] = [result[t + 2], result[t + 1]]
  }
  return result
}
