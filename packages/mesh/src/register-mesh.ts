import { averageOverNeighbours, meshNeighbours, type Neighbours } from './mesh-neighbours.js'
import { applySimilarity3d, fitSimilarity3d, type Similarity3d } from './similarity-3d.js'
import { TriangleTree } from './triangle-tree.js'
import { normalsForward } from './vertex-normals-arrays.js'
import { warpByPoints } from './warp-by-points.js'

/** A surface, in any unit. */
export interface Surface {
  /** `[N * 3]` */
  positions: ArrayLike<number>
  /** `[F * 3]` */
  triangles: Int32Array
}

/** What is known before a registration: pairs of points, `[P * 3]` each, or a first similarity. */
export interface RegistrationStart {
  points?: { from: ArrayLike<number>; to: ArrayLike<number> }
  similarity?: Similarity3d
}

/** Smoothing passes over the displacements, from stiff to soft. */
const SCHEDULE = [60, 60, 40, 40, 25, 25, 15, 15, 8, 8, 4, 4]
/** Farthest that a point of the target is believed, mm. */
const REACH = 12

/** Brings a surface onto another one: a similarity, a smooth warp through pairs of points, then steps towards the nearest
 * points of the target whose normals agree, smoothed over the surface, ever softer.
 *
 * @param from - deforms; mm
 * @param to - stays; mm
 * @returns `[N * 3]` the vertices of `from` in the space of `to`
 */
export function registerMesh(from: Surface, to: Surface, start: RegistrationStart): Float64Array {
  const { points } = start
  const similarity = start.similarity ?? fitSimilarity3d(points!.from, points!.to)
  let positions = applySimilarity3d(similarity, from.positions)
  const count = positions.length / 3
  const tree = new TriangleTree(to.positions, to.triangles)
  const border = borderVertices(to.triangles)
  const targetNormals = normalsOf(to.positions, to.triangles)
  const last = new Int32Array(count).fill(-1)
  const match = (reach: number, step = 1) =>
    nearestOf({ positions, from, to, tree, border, targetNormals, last, reach, step })
  if (points) {
    positions = warpByPoints(applySimilarity3d(similarity, points.from), points.to, 40)(positions)
  } else {
    for (let i = 0; i < 15; i++) {
      const { displacements, weights } = match(4 * REACH, 10)
      const goal = positions.map((value, at) => value + displacements[at])
      positions = applySimilarity3d(fitSimilarity3d(positions, goal, weights), positions)
    }
  }
  const neighbours = meshNeighbours(from.triangles, count)
  for (const passes of SCHEDULE) {
    const { displacements, weights } = match(REACH)
    const smooth = smoothed(neighbours, displacements, weights, passes)
    for (let i = 0; i < positions.length; i++) positions[i] += smooth[i]
  }
  return positions
}

function nearestOf({
  positions,
  from,
  to,
  tree,
  border,
  targetNormals,
  last,
  reach,
  step,
}: {
  positions: Float64Array
  from: Surface
  to: Surface
  tree: TriangleTree
  border: Uint8Array
  targetNormals: Float32Array
  /** The triangle that was nearest to each vertex the time before, -1 where there was none; is kept up to date. */
  last: Int32Array
  reach: number
  /** Only every so many vertices are looked at. */
  step: number
}): { displacements: Float64Array; weights: Float64Array } {
  const count = positions.length / 3
  const normals = normalsOf(positions, from.triangles)
  const displacements = new Float64Array(count * 3)
  const weights = new Float64Array(count)
  const options = { within: reach, near: -1 }
  for (let v = 0; v < count; v += step) {
    options.near = last[v]
    const found = tree.nearest(positions[v * 3], positions[v * 3 + 1], positions[v * 3 + 2], options)
    if (!found) continue
    last[v] = found.triangle
    let agreement = 0
    let isBorder = false
    for (let k = 0; k < 3; k++) {
      const corner = to.triangles[found.triangle + k]
      const w = found.weights[k]
      isBorder ||= border[corner] === 1 && w > 0
      for (let c = 0; c < 3; c++) {
        displacements[v * 3 + c] += w * (to.positions[corner * 3 + c] - positions[v * 3 + c])
        agreement += w * targetNormals[corner * 3 + c] * normals[v * 3 + c]
      }
    }
    // Beyond the target's border everything is nearest to the border: that says nothing.
    if (isBorder) displacements.fill(0, v * 3, v * 3 + 3)
    else weights[v] = agreement > 0.5 ? 1 : 0
  }
  return { displacements, weights }
}

/** Displacements averaged over neighbours again and again; vertices without one of their own take those around them. */
function smoothed(
  neighbours: Neighbours,
  displacements: Float64Array,
  weights: Float64Array,
  passes: number,
): Float64Array {
  let state = { values: displacements, weights }
  for (let i = 0; i < passes; i++) {
    state = averageOverNeighbours(neighbours, state.values, state.weights, 3)
  }
  return state.values
}

/** Unit normals `[N * 3]`. */
export function normalsOf(positions: ArrayLike<number>, triangles: Int32Array): Float32Array {
  const count = positions.length / 3
  const normals = new Float32Array(count * 3)
  normalsForward(
    { positions: Float32Array.from(positions), triangles, batch: 1, count },
    normals,
    new Float32Array(count),
  )
  return normals
}

/** 1 at vertices on an edge that belongs to one triangle only. */
function borderVertices(triangles: Int32Array): Uint8Array {
  const largest = triangles.reduce((top, vertex) => Math.max(top, vertex), -1)
  const edges = new Map<number, number>()
  const key = (a: number, b: number) => Math.min(a, b) * (largest + 1) + Math.max(a, b)
  for (let t = 0; t < triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const edge = key(triangles[t + k], triangles[t + ((k + 1) % 3)])
      edges.set(edge, (edges.get(edge) ?? 0) + 1)
    }
  }
  const border = new Uint8Array(largest + 1)
  for (const [edge, uses] of edges) {
    if (uses > 1) continue
    border[edge % (largest + 1)] = 1
    border[Math.floor(edge / (largest + 1))] = 1
  }
  return border
}
