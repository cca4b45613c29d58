import { CholeskyDecomposition, Matrix } from 'ml-matrix'

/** A displacement of one vertex in mm. */
export type Vector = readonly [number, number, number]

/** Wanted displacements by vertex; the rest of the face follows. */
export type Handles = Map<number, Vector>

/** Spreads displacements of a few vertices smoothly over the control mesh.
 *
 * Minimises bending plus a little stretching of the displacement over the surface (thin plate and membrane, cotangent
 * Laplacian; Botsch and Sorkine, "On linear variational surface deformation methods", 2008) with the handles as soft
 * constraints. Distances are along the surface, so that upper and lower lips and lids are far from each other.
 */
export class SmoothDeformation {
  private readonly energy: Matrix

  /** @param stiffness - pull of every vertex towards rest; larger values keep deformations local */
  constructor(
    private readonly positions: Float64Array,
    triangles: readonly number[],
    options: { stretch?: number; rest?: number } = {},
  ) {
    const count = positions.length / 3
    const laplacian = Matrix.zeros(count, count)
    const area = new Float64Array(count)
    for (let t = 0; t < triangles.length; t += 3) {
      for (let k = 0; k < 3; k++) {
        const [a, b, c] = [triangles[t + k], triangles[t + ((k + 1) % 3)], triangles[t + ((k + 2) % 3)]]
        const { cotangent, doubleArea } = this.corner(c, a, b)
        const weight = Math.max(cotangent, 0.05) / 2
        for (const [i, j] of [
          [a, b],
          [b, a],
        ]) {
          laplacian.set(i, j, laplacian.get(i, j) - weight)
          laplacian.set(i, i, laplacian.get(i, i) + weight)
        }
        area[a] += doubleArea / 6
      }
    }
    const { stretch = 0.002, rest = 2e-6 } = options
    this.energy = Matrix.zeros(count, count)
    for (let k = 0; k < count; k++) {
      for (let i = 0; i < count; i++) {
        const left = laplacian.get(i, k)
        if (left === 0) continue
        for (let j = 0; j < count; j++) {
          const right = laplacian.get(k, j)
          if (right !== 0) this.energy.set(i, j, this.energy.get(i, j) + (left * right) / area[k])
        }
      }
    }
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < count; j++) {
        this.energy.set(i, j, this.energy.get(i, j) + stretch * laplacian.get(i, j))
      }
      this.energy.set(i, i, this.energy.get(i, i) + rest * area[i])
    }
  }

  /** The displacement field `[N * 3]` that follows the handles. */
  solve(handles: Handles, strength = 100): Float64Array {
    const system = this.energy.clone()
    const right = Matrix.zeros(system.rows, 3)
    for (const [vertex, target] of handles) {
      system.set(vertex, vertex, system.get(vertex, vertex) + strength)
      right.setRow(
        vertex,
        target.map((value) => value * strength),
      )
    }
    return Float64Array.from(new CholeskyDecomposition(system).solve(right).to1DArray())
  }

  private corner(at: number, a: number, b: number): { cotangent: number; doubleArea: number } {
    const p = this.positions
    const edge = (to: number) => [0, 1, 2].map((c) => p[to * 3 + c] - p[at * 3 + c])
    const [u, v] = [edge(a), edge(b)]
    const doubleArea = Math.hypot(
      u[1] * v[2] - u[2] * v[1],
      u[2] * v[0] - u[0] * v[2],
      u[0] * v[1] - u[1] * v[0],
    )
    return { cotangent: (u[0] * v[0] + u[1] * v[1] + u[2] * v[2]) / doubleArea, doubleArea }
  }
}
