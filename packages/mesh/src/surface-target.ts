import { normalsOf } from './normals-of.js'
import { TriangleTree } from './triangle-tree.js'

/** A surface, in any unit. */
export interface Surface {
  /** `[N * 3]` */
  positions: ArrayLike<number>
  /** `[F * 3]` vertex indices, counter-clockwise seen from outside. */
  triangles: Int32Array
}

/** A surface that others are brought onto, with what finding nearest points needs. */
export interface SurfaceTarget extends Surface {
  tree: TriangleTree
  normals: Float32Array
  /** 1 at vertices on the surface's border. */
  border: Uint8Array
}

export function surfaceTarget({ positions, triangles }: Surface): SurfaceTarget {
  return {
    positions,
    triangles,
    tree: new TriangleTree(positions, triangles),
    normals: normalsOf(positions, triangles),
    border: borderVertices(triangles),
  }
}

/** How `nearestDisplacements` looks. */
export interface NearestOptions {
  /** Farthest that a point of the target is believed, mm. */
  reach: number
  /** Only every n-th vertex is looked at. */
  step: number
  /** The triangle that was nearest to each vertex the time before, -1 where there was none; is kept up to date. */
  last: Int32Array
}

/** Where each vertex would go: to the nearest point of the target.
 *
 * @returns `displacements` `[N * 3]`, 0 where nothing was found; `weights` `[N]`, 1 where the point's normal agrees
 */
export function nearestDisplacements(
  { positions, triangles }: Surface,
  target: SurfaceTarget,
  { reach, step, last }: NearestOptions,
): { displacements: Float64Array; weights: Float64Array } {
  const count = positions.length / 3
  const normals = normalsOf(positions, triangles)
  const displacements = new Float64Array(count * 3)
  const weights = new Float64Array(count)
  const options = { within: reach, near: -1 }
  for (let v = 0; v < count; v += step) {
    options.near = last[v]
    const found = target.tree.nearest(positions[v * 3], positions[v * 3 + 1], positions[v * 3 + 2], options)
    if (!found) continue
    last[v] = found.triangle
    let agreement = 0
    let isBorder = false
    for (let k = 0; k < 3; k++) {
      const corner = target.triangles[found.triangle + k]
      const w = found.weights[k]
      isBorder ||= target.border[corner] === 1 && w > 0
      for (let c = 0; c < 3; c++) {
        displacements[v * 3 + c] += w * (target.positions[corner * 3 + c] - positions[v * 3 + c])
        agreement += w * target.normals[corner * 3 + c] * normals[v * 3 + c]
      }
    }
    // Beyond the target's border everything is nearest to the border: that says nothing.
    if (isBorder) displacements.fill(0, v * 3, v * 3 + 3)
    else weights[v] = agreement > 0.5 ? 1 : 0
  }
  return { displacements, weights }
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
