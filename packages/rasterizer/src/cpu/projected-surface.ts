import type { Topology } from '@facekit/mesh'
import { wasmMemoryOf } from './wasm-memory.js'

/** One picture's mesh as the search for silhouettes needs it. Valid until the next call of `projectSurface`. */
export interface ProjectedSurface {
  /** `[N * 3]` homogeneous pixel space: x, y, w. Pixels are (x / w, y / w), y down. */
  points: Float64Array
  /** `[F]` which side of a triangle is seen: 1 or -1, 0 for a triangle seen edge-on. */
  facing: Int8Array
}

let points = new Float64Array(0)
let facing = new Int8Array(0)

/** Projects `[N, 4]` clip-space vertices that start at `offset`, and finds each triangle's side.
 *
 * The side is the sign of det(i, j, k) in homogeneous coordinates, which also holds where w is negative.
 */
export function projectSurface(
  clip: Float32Array,
  offset: number,
  { triangles, vertexCount }: Topology,
  width: number,
  height: number,
): ProjectedSurface {
  const memory = wasmMemoryOf(clip)
  if (memory !== undefined) {
    const clipAt = clip.byteOffset + 4 * offset
    const faces = triangles.length / 3
    const trianglesAt = memory.resident(triangles)
    const pointsAt = memory.scratch(24 * vertexCount + faces)
    const facingAt = pointsAt + 24 * vertexCount
    memory.kernels.projectSurface(clipAt, vertexCount, trianglesAt, faces, width, height, pointsAt, facingAt)
    const { buffer } = memory.memory
    return {
      points: new Float64Array(buffer, pointsAt, 3 * vertexCount),
      facing: new Int8Array(buffer, facingAt, faces),
    }
  }
  if (points.length < 3 * vertexCount) points = new Float64Array(3 * vertexCount)
  for (let i = 0, k = offset, o = 0; i < vertexCount; i++, k += 4, o += 3) {
    const w = clip[k + 3]
    points[o] = (clip[k] + w) * 0.5 * width
    points[o + 1] = (w - clip[k + 1]) * 0.5 * height
    points[o + 2] = w
  }
  if (3 * facing.length < triangles.length) facing = new Int8Array(triangles.length / 3)
  for (let f = 0, k = 0; k < triangles.length; f++, k += 3) {
    const a = 3 * triangles[k]
    const b = 3 * triangles[k + 1]
    const c = 3 * triangles[k + 2]
    const determinant =
      points[c] * (points[a + 1] * points[b + 2] - points[a + 2] * points[b + 1]) +
      points[c + 1] * (points[a + 2] * points[b] - points[a] * points[b + 2]) +
      points[c + 2] * (points[a] * points[b + 1] - points[a + 1] * points[b])
    facing[f] = determinant > 0 ? 1 : determinant < 0 ? -1 : 0
  }
  return { points, facing }
}

/** Whether a half edge is a silhouette: the surface is open or folds there, so that beyond the edge it cannot be seen. */
export function isSilhouette(facing: Int8Array, topology: Topology, half: number, triangle: number): boolean {
  const neighbor = topology.neighbors[half]
  if (neighbor < 0) return true
  const product = facing[triangle] * facing[neighbor]
  return topology.flipped[half] === 1 ? product > 0 : product < 0
}
