import { labelOf } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import type { Vector3 } from '../vector.js'
import { lidEdges } from './lid-edges.js'
import { gridTriangles, type Host, type MeshPart } from './mesh-part.js'

/** Of the longest lashes, mm. */
const LENGTH = 8.5
/** How much farther than the edge the tips come down, in what the edge moves against the corners: lashes of an open eye look up, of a shut one down. */
const TURN = 0.85
/** Where lashes lie from the root on, in lengths: how far along, forwards, up. They leave the lid steeply, as the edge of a shut one sinks behind the
 * lower lid. */
const ROWS = [
  { along: 0, forwards: 0.3, up: 0 },
  { along: 0.15, forwards: 0.5, up: 0.02 },
  { along: 0.6, forwards: 0.85, up: 0.15 },
  { along: 1, forwards: 0.98, up: 0.36 },
] as const
/** How far the tips lie outwards at the corners, in lengths. */
const FAN = 0.45

/** Upper lashes: a strip along the edge of each upper lid, which turns down as the lid does. Texture coordinates: across, in 100 mm, and along the
 * lashes, 0 at the root.
 */
export function lashPart(model: MorphableModel): MeshPart {
  const mean = model.shape.mean.data
  const point = (v: number): Vector3 => [mean[v * 3], mean[v * 3 + 1], mean[v * 3 + 2]]
  const positions: number[] = []
  const uv: number[] = []
  const hosts: Host[] = []
  const triangles: number[] = []
  for (const { upper } of Object.values(lidEdges(model))) {
    const first = positions.length / 3
    const [start, end] = [point(upper[0])[0], point(upper.at(-1)!)[0]]
    for (const { along, forwards, up } of ROWS) {
      for (const vertex of upper) {
        const [x, y, z] = point(vertex)
        // -1 at the right corner, 1 at the left one; the corners' lashes are shorter.
        const t = (2 * (x - start)) / (end - start || 1) - 1
        const length = LENGTH * (1 - 0.45 * t ** 4)
        positions.push(x + length * along * FAN * t, y + length * up, z + length * forwards)
        uv.push(x / 100, along)
        const turn = TURN * along
        hosts.push({
          vertices: [vertex, upper[0], upper.at(-1)!],
          weights: [1 + turn, -turn / 2, -turn / 2],
          identity: 1,
          expression: 1,
        })
      }
    }
    triangles.push(...gridTriangles(ROWS.length, upper.length, first))
  }
  return {
    name: 'lashes',
    layer: 'front',
    material: 'lash',
    positions: Float32Array.from(positions),
    triangles: Int32Array.from(triangles),
    label: labelOf('skin'),
    uv: Float32Array.from(uv),
    hosts,
  }
}
