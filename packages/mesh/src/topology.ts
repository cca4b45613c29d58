import { ValueError } from '@facekit/core'
import { triangleIndices, type Triangles } from './triangle-indices.js'

/** Which triangles of a mesh touch along which edges. Plain data, made once for a mesh: nothing to dispose. */
export interface Topology {
  /** `[F * 3]` vertex indices. */
  readonly triangles: Int32Array
  readonly vertexCount: number
  /** `[F * 3]` the triangle across the edge that faces corner k of triangle f; -1 where there is none, or more than one. */
  readonly neighbors: Int32Array
  /** `[F * 3]` 1 where that triangle is wound the other way round, else 0. */
  readonly flipped: Uint8Array
  /** `[N + 1]` where in `vertexTriangles` those of a vertex begin; the last is their number. */
  readonly vertexOffsets: Int32Array
  /** `[F * 3]` the triangles at vertex 0, then those at vertex 1, ...; ascending for each vertex. */
  readonly vertexTriangles: Int32Array
}

/** Options of `createTopology`. */
export interface TopologyOptions {
  /** `[F]` any numbers: an edge between triangles of different labels (lips and mouth, say) counts as open, so that a
   * picture of those labels has gradients there. Default: all the same. */
  labels?: ArrayLike<number>
}

/** Topologies without labels, by their triangles. */
const known = new WeakMap<Int32Array, Topology>()

/** Finds the neighbours of each triangle, for `antialias`, and the triangles at each vertex.
 *
 * Made once for an array of triangles: a later call with the same array (which must not change) gives the same object, or, with
 * labels, one that shares what labels do not change.
 *
 * Vertices are the same when their indices are: a seam of doubled vertices counts as an open edge. An edge of three or
 * more triangles counts as open in each of them. Windings need not agree.
 *
 * @param triangles - `[F * 3]` indices or int32 `[F, 3]`
 * @param vertexCount - N
 * @param options - `labels` of triangles; where two of them meet, the picture jumps as at a silhouette
 * @throws {ShapeError} when `triangles` is not `[F * 3]` or `[F, 3]`
 * @throws {ValueError} when an index is not below `vertexCount`, or there is not one label for each triangle
 * @example
 * createTopology(Int32Array.of(0, 1, 2, 2, 1, 3), 4).neighbors // 1 -1 -1 -1 -1 0
 */
export function createTopology(
  triangles: Triangles,
  vertexCount: number,
  options: TopologyOptions = {},
): Topology {
  const indices = triangleIndices('createTopology', triangles, vertexCount)
  const { labels } = options
  if (labels !== undefined && labels.length * 3 !== indices.length) {
    throw new ValueError(
      `createTopology: labels has ${labels.length} entries, expected ${indices.length / 3}, one for each triangle`,
    )
  }
  let plain = known.get(indices)
  if (plain?.vertexCount !== vertexCount) {
    plain = {
      triangles: indices,
      vertexCount,
      ...findNeighbors(indices, vertexCount),
      ...gatherVertexTriangles(indices, vertexCount),
    }
    known.set(indices, plain)
  }
  if (labels === undefined) return plain
  const neighbors = plain.neighbors.map((neighbor, half) =>
    neighbor >= 0 && labels[neighbor] !== labels[Math.floor(half / 3)] ? -1 : neighbor,
  )
  return { ...plain, neighbors }
}

/** The triangles at each vertex, by counting. */
function gatherVertexTriangles(
  indices: Int32Array,
  vertexCount: number,
): Pick<Topology, 'vertexOffsets' | 'vertexTriangles'> {
  const vertexOffsets = new Int32Array(vertexCount + 1)
  for (const vertex of indices) vertexOffsets[vertex + 1]++
  for (let v = 0; v < vertexCount; v++) vertexOffsets[v + 1] += vertexOffsets[v]
  const next = vertexOffsets.slice(0, vertexCount)
  const vertexTriangles = new Int32Array(indices.length)
  for (let half = 0; half < indices.length; half++) {
    vertexTriangles[next[indices[half]]++] = Math.floor(half / 3)
  }
  return { vertexOffsets, vertexTriangles }
}

function findNeighbors(indices: Int32Array, vertexCount: number): Pick<Topology, 'flipped' | 'neighbors'> {
  const neighbors = new Int32Array(indices.length).fill(-1)
  const flipped = new Uint8Array(indices.length)
  /** For an edge: the half edge that was met first; -1 once there are more than two. */
  const open = new Map<number, number>()
  for (let half = 0; half < indices.length; half++) {
    const first = half - (half % 3)
    const i = indices[first + ((half + 1) % 3)]
    const j = indices[first + ((half + 2) % 3)]
    const key = i < j ? i * vertexCount + j : j * vertexCount + i
    const other = open.get(key)
    if (other === undefined) {
      open.set(key, half)
    } else if (other >= 0 && neighbors[other] < 0) {
      neighbors[other] = Math.floor(half / 3)
      neighbors[half] = Math.floor(other / 3)
      // Neighbours of one winding run along their edge in opposite directions.
      if (indices[other - (other % 3) + ((other + 1) % 3)] === i) flipped[half] = flipped[other] = 1
    } else if (other >= 0) {
      separate(other, first, neighbors, indices)
      open.set(key, -1)
    }
  }
  return { neighbors, flipped }
}

/** Undoes the pairing of a half edge, because a third triangle has the edge as well. */
function separate(half: number, third: number, neighbors: Int32Array, indices: Int32Array): void {
  const partner = 3 * neighbors[half]
  const vertices = new Set(indices.subarray(third, third + 3))
  for (let k = 0; k < 3; k++) {
    const facesEdge =
      vertices.has(indices[partner + ((k + 1) % 3)]) && vertices.has(indices[partner + ((k + 2) % 3)])
    if (facesEdge && neighbors[partner + k] === Math.floor(half / 3)) {
      neighbors[partner + k] = -1
    }
  }
  neighbors[half] = -1
}
