import type { Topology } from '@facekit/mesh'

const links = new WeakMap<Topology, Int32Array>()

/** `[F * 3]` for each half edge 2 * the half edge on its other side + flipped, -1 where the surface is open. */
export function topologyLinks(topology: Topology): Int32Array {
  let result = links.get(topology)
  if (result === undefined) {
    const { neighbors, flipped } = topology
    result = neighbors.map((neighbor, half) =>
      neighbor < 0 ? -1 : 2 * oppositeOf(topology, half, neighbor) + flipped[half],
    )
    links.set(topology, result)
  }
  return result
}

/** The half edge of a neighbour that runs along the same edge. */
function oppositeOf({ triangles }: Topology, half: number, neighbor: number): number {
  const corner = half % 3
  const ends = [triangles[half - corner + ((corner + 1) % 3)], triangles[half - corner + ((corner + 2) % 3)]]
  for (let k = 0; k < 2; k++) {
    const next = triangles[3 * neighbor + ((k + 1) % 3)]
    const previous = triangles[3 * neighbor + ((k + 2) % 3)]
    if (ends.includes(next) && ends.includes(previous) && next !== previous) return 3 * neighbor + k
  }
  return 3 * neighbor + 2
}

const adjacencies = new WeakMap<Int32Array, Int32Array>()

/** A vertex of more triangles than that is given to a whole workgroup. */
export const MANY_TRIANGLES = 64

/** For each vertex where its triangles begin; then, for each of them in order, 4 times the triangle plus the corner; then the number of
 * vertices of many triangles, and these. */
export function vertexTriangles(triangles: Int32Array, vertexCount: number): Int32Array {
  const known = adjacencies.get(triangles)
  if (known !== undefined && known[0] === vertexCount + 1) return known
  const starts = new Int32Array(vertexCount + 1)
  for (const vertex of triangles) starts[vertex + 1]++
  const many: number[] = []
  starts.forEach((count, i) => count > MANY_TRIANGLES && many.push(i - 1))
  starts[0] = vertexCount + 1
  for (let vertex = 0; vertex < vertexCount; vertex++) starts[vertex + 1] += starts[vertex]
  const result = new Int32Array(starts.length + triangles.length + 1 + many.length)
  result.set(starts)
  const next = starts.slice(0, vertexCount)
  for (let i = 0; i < triangles.length; i++) {
    const triangle = Math.floor(i / 3)
    result[next[triangles[i]]++] = 4 * triangle + i - 3 * triangle
  }
  result.set([many.length, ...many], starts.length + triangles.length)
  adjacencies.set(triangles, result)
  return result
}
