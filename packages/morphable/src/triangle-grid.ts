/** The point of a mesh that is nearest to a given one. */
export interface SurfacePoint {
  /** First index of the triangle in its list. */
  triangle: number
  /** Barycentric weights of its corners. */
  weights: [number, number, number]
  /** Distance, in the unit of the positions. */
  distance: number
}

/** Finds nearest points on a mesh: triangles sorted into the cells of a grid. */
export class TriangleGrid {
  readonly #positions: Float64Array
  readonly #triangles: Int32Array
  readonly #low: Float64Array
  readonly #size: number
  readonly #counts: Int32Array
  /** Triangles of cell c are `#list[#start[c]]` to `#list[#start[c + 1] - 1]`. */
  readonly #start: Int32Array
  readonly #list: Int32Array
  /** Middle of each triangle, and the radius around it that holds the corners. */
  readonly #spheres: Float64Array
  /** Weights of the point that `#squaredDistance` found last. */
  readonly #weights = new Float64Array(3)

  /** @param triangles - `[F * 3]`, at least one */
  constructor(positions: ArrayLike<number>, triangles: Int32Array) {
    this.#positions = Float64Array.from(positions)
    this.#triangles = triangles
    const p = this.#positions
    const low = new Float64Array(3).fill(Infinity)
    const high = new Float64Array(3).fill(-Infinity)
    let edges = 0
    for (let i = 0; i < triangles.length; i++) {
      const a = triangles[i] * 3
      const b = triangles[i % 3 === 2 ? i - 2 : i + 1] * 3
      edges += Math.hypot(p[a] - p[b], p[a + 1] - p[b + 1], p[a + 2] - p[b + 2])
      for (let c = 0; c < 3; c++) {
        low[c] = Math.min(low[c], p[a + c])
        high[c] = Math.max(high[c], p[a + c])
      }
    }
    const extent = Math.max(high[0] - low[0], high[1] - low[1], high[2] - low[2], 1e-9)
    // A triangle wide, and never more than 128 cells along an axis.
    this.#size = Math.max(edges / triangles.length, extent / 128)
    this.#low = low
    this.#counts = Int32Array.from(low, (value, c) => Math.floor((high[c] - value) / this.#size) + 1)
    const cells = this.#counts[0] * this.#counts[1] * this.#counts[2]
    this.#start = new Int32Array(cells + 1)
    this.#forEachCell((_, cell) => this.#start[cell + 1]++)
    for (let cell = 0; cell < cells; cell++) this.#start[cell + 1] += this.#start[cell]
    this.#list = new Int32Array(this.#start[cells])
    const at = this.#start.slice()
    this.#forEachCell((triangle, cell) => (this.#list[at[cell]++] = triangle))
    this.#spheres = spheresOf(p, triangles)
  }

  #cell(value: number, axis: number): number {
    const cell = Math.floor((value - this.#low[axis]) / this.#size)
    return Math.min(this.#counts[axis] - 1, Math.max(0, cell))
  }

  /** Visits the cells that the box of each triangle touches. */
  #forEachCell(visit: (triangle: number, cell: number) => void): void {
    const p = this.#positions
    const [nx, ny] = this.#counts
    const first = [0, 0, 0]
    const last = [0, 0, 0]
    for (let t = 0; t < this.#triangles.length; t += 3) {
      const [a, b, c] = [this.#triangles[t] * 3, this.#triangles[t + 1] * 3, this.#triangles[t + 2] * 3]
      for (let axis = 0; axis < 3; axis++) {
        first[axis] = this.#cell(Math.min(p[a + axis], p[b + axis], p[c + axis]), axis)
        last[axis] = this.#cell(Math.max(p[a + axis], p[b + axis], p[c + axis]), axis)
      }
      for (let z = first[2]; z <= last[2]; z++) {
        for (let y = first[1]; y <= last[1]; y++) {
          for (let x = first[0]; x <= last[0]; x++) visit(t, (z * ny + y) * nx + x)
        }
      }
    }
  }

  /** The nearest point of the mesh.
   *
   * @param options - `within`: what is farther is not looked for; `accept`: which triangles count, by their first index
   */
  nearest(
    x: number,
    y: number,
    z: number,
    options: { within?: number; accept?: (triangle: number) => boolean } = {},
  ): SurfacePoint | undefined {
    const { within = Infinity, accept } = options
    const [nx, ny, nz] = this.#counts
    const [mx, my, mz] = [this.#cell(x, 0), this.#cell(y, 1), this.#cell(z, 2)]
    const reach = Math.max(mx, nx - 1 - mx, my, ny - 1 - my, mz, nz - 1 - mz)
    let best = -1
    let bestSquared = within * within
    let weights: [number, number, number] = [1, 0, 0]
    for (let ring = 0; ring <= reach; ring++) {
      // Cells of this ring are at least ring - 1 cells away, more if the point lies outside of the grid.
      const gap = Math.max(0, ring - 1) * this.#size
      if (gap * gap > bestSquared) break
      for (let cz = Math.max(0, mz - ring); cz <= Math.min(nz - 1, mz + ring); cz++) {
        for (let cy = Math.max(0, my - ring); cy <= Math.min(ny - 1, my + ring); cy++) {
          const shell = cz === mz - ring || cz === mz + ring || cy === my - ring || cy === my + ring
          const step = shell ? 1 : 2 * ring
          for (let cx = mx - ring; cx <= mx + ring; cx += step) {
            if (cx < 0 || cx >= nx) continue
            const cell = (cz * ny + cy) * nx + cx
            for (let i = this.#start[cell]; i < this.#start[cell + 1]; i++) {
              if (this.#isBeyond(this.#list[i], x, y, z, bestSquared)) continue
              const squared = this.#squaredDistance(this.#list[i], x, y, z)
              if (squared >= bestSquared || (accept && !accept(this.#list[i]))) continue
              bestSquared = squared
              best = this.#list[i]
              weights = [this.#weights[0], this.#weights[1], this.#weights[2]]
            }
          }
        }
      }
    }
    return best < 0 ? undefined : { triangle: best, weights, distance: Math.sqrt(bestSquared) }
  }

  /** Whether a triangle is certainly farther than a distance. */
  #isBeyond(t: number, x: number, y: number, z: number, squared: number): boolean {
    const at = (t / 3) * 4
    const dx = this.#spheres[at] - x
    const dy = this.#spheres[at + 1] - y
    const dz = this.#spheres[at + 2] - z
    const away = Math.sqrt(dx * dx + dy * dy + dz * dz) - this.#spheres[at + 3]
    return away > 0 && away * away >= squared
  }

  /** Squared distance to a triangle; leaves the weights of its nearest point (Ericson, Real-Time Collision Detection, 5.1.5). */
  #squaredDistance(t: number, x: number, y: number, z: number): number {
    const p = this.#positions
    const a = this.#triangles[t] * 3
    const b = this.#triangles[t + 1] * 3
    const c = this.#triangles[t + 2] * 3
    const px = x - p[a]
    const py = y - p[a + 1]
    const pz = z - p[a + 2]
    const bx = p[b] - p[a]
    const by = p[b + 1] - p[a + 1]
    const bz = p[b + 2] - p[a + 2]
    const cx = p[c] - p[a]
    const cy = p[c + 1] - p[a + 1]
    const cz = p[c + 2] - p[a + 2]
    const d1 = bx * px + by * py + bz * pz
    const d2 = cx * px + cy * py + cz * pz
    const bb = bx * bx + by * by + bz * bz
    const bc = bx * cx + by * cy + bz * cz
    const cc = cx * cx + cy * cy + cz * cz
    const d3 = d1 - bb
    const d4 = d2 - bc
    const d5 = d1 - bc
    const d6 = d2 - cc
    const va = d3 * d6 - d5 * d4
    const vb = d5 * d2 - d1 * d6
    const vc = d1 * d4 - d3 * d2
    let v = 0
    let w = 0
    if (d1 <= 0 && d2 <= 0) {
      // The corner a.
    } else if (d3 >= 0 && d4 <= d3) {
      v = 1
    } else if (d6 >= 0 && d5 <= d6) {
      w = 1
    } else if (vc <= 0 && d1 >= 0 && d3 <= 0) {
      v = d1 / (d1 - d3)
    } else if (vb <= 0 && d2 >= 0 && d6 <= 0) {
      w = d2 / (d2 - d6)
    } else if (va <= 0 && d4 - d3 >= 0 && d5 - d6 >= 0) {
      w = (d4 - d3) / (d4 - d3 + d5 - d6)
      v = 1 - w
    } else if (va + vb + vc > 0) {
      v = vb / (va + vb + vc)
      w = vc / (va + vb + vc)
    }
    this.#weights[0] = 1 - v - w
    this.#weights[1] = v
    this.#weights[2] = w
    const dx = v * bx + w * cx - px
    const dy = v * by + w * cy - py
    const dz = v * bz + w * cz - pz
    return dx * dx + dy * dy + dz * dz
  }
}

function spheresOf(p: Float64Array, triangles: Int32Array): Float64Array {
  const spheres = new Float64Array((triangles.length / 3) * 4)
  for (let t = 0; t < triangles.length; t += 3) {
    const at = (t / 3) * 4
    for (let c = 0; c < 3; c++) {
      spheres[at + c] =
        (p[triangles[t] * 3 + c] + p[triangles[t + 1] * 3 + c] + p[triangles[t + 2] * 3 + c]) / 3
    }
    for (let k = 0; k < 3; k++) {
      const v = triangles[t + k] * 3
      const radius = Math.hypot(p[v] - spheres[at], p[v + 1] - spheres[at + 1], p[v + 2] - spheres[at + 2])
      spheres[at + 3] = Math.max(spheres[at + 3], radius)
    }
  }
  return spheres
}
