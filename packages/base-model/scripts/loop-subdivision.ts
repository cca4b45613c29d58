/** A vertex as a weighted sum of control vertices. */
export type Stencil = Map<number, number>

/** A triangle mesh whose vertices are weighted sums of control vertices. */
export interface StencilMesh {
  stencils: Stencil[]
  triangles: number[]
  /** Vertex in the middle of each edge of the mesh before, by `edgeKey`. */
  edgeVertices: Map<number, number>
}

/** A number for the edge between two vertices, the same in both directions. */
export const edgeKey = (a: number, b: number): number => Math.min(a, b) * 65536 + Math.max(a, b)

/** Sum of stencils times weights. */
export function combine(parts: readonly (readonly [Stencil, number])[]): Stencil {
  const sum: Stencil = new Map()
  for (const [stencil, weight] of parts) {
    for (const [vertex, value] of stencil) sum.set(vertex, (sum.get(vertex) ?? 0) + weight * value)
  }
  return sum
}

/** One step of Loop's scheme with Warren's weights and cubic B-spline boundaries (Loop 1987; Warren 1995).
 *
 * Old vertices keep their indices; one new vertex for each edge follows.
 */
export function loopSubdivide(mesh: Pick<StencilMesh, 'stencils' | 'triangles'>): StencilMesh {
  const { stencils: old, triangles } = mesh
  const opposite = new Map<number, number[]>()
  const neighbours = old.map(() => new Set<number>())
  for (let t = 0; t < triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const [a, b, c] = [triangles[t + k], triangles[t + ((k + 1) % 3)], triangles[t + ((k + 2) % 3)]]
      const key = edgeKey(a, b)
      opposite.set(key, [...(opposite.get(key) ?? []), c])
      neighbours[a].add(b).add(c)
    }
  }
  const rimNeighbours = old.map((): number[] => [])
  for (const [key, corners] of opposite) {
    if (corners.length > 1) continue
    const [a, b] = [Math.floor(key / 65536), key % 65536]
    rimNeighbours[a].push(b)
    rimNeighbours[b].push(a)
  }
  const stencils = old.map((stencil, i) => {
    if (rimNeighbours[i].length > 0) {
      return combine([[stencil, 3 / 4], ...rimNeighbours[i].map((j) => [old[j], 1 / 8] as const)])
    }
    const n = neighbours[i].size
    const weight = n === 3 ? 3 / 16 : 3 / (8 * n)
    return combine([[stencil, 1 - n * weight], ...[...neighbours[i]].map((j) => [old[j], weight] as const)])
  })
  const edgeVertices = new Map<number, number>()
  for (const [key, corners] of opposite) {
    const [a, b] = [Math.floor(key / 65536), key % 65536]
    edgeVertices.set(key, stencils.length)
    stencils.push(
      corners.length === 1
        ? combine([
            [old[a], 1 / 2],
            [old[b], 1 / 2],
          ])
        : combine([
            [old[a], 3 / 8],
            [old[b], 3 / 8],
            [old[corners[0]], 1 / 8],
            [old[corners[1]], 1 / 8],
          ]),
    )
  }
  return {
    stencils,
    triangles: splitTriangles(triangles, (a, b) => edgeVertices.get(edgeKey(a, b))!),
    edgeVertices,
  }
}

/** Splits each triangle into four at the middles of its edges. */
export function splitTriangles(
  triangles: readonly number[],
  middle: (a: number, b: number) => number,
): number[] {
  const result: number[] = []
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [triangles[t], triangles[t + 1], triangles[t + 2]]
    const [ab, bc, ca] = [middle(a, b), middle(b, c), middle(c, a)]
    result.push(a, ab, ca, b, bc, ab, c, ca, bc, ab, bc, ca)
  }
  return result
}

/** Applies stencils to a field on the control vertices. */
export function applyStencils(stencils: readonly Stencil[], control: Float64Array, width = 3): Float64Array {
  const result = new Float64Array(stencils.length * width)
  stencils.forEach((stencil, i) => {
    for (const [vertex, weight] of stencil) {
      for (let c = 0; c < width; c++) result[i * width + c] += weight * control[vertex * width + c]
    }
  })
  return result
}
