/** A displacement field over a mesh that follows targets and bends little: `sum_i (d_i - t_i)' W_i (d_i - t_i) + stiffness * |L d|^2 / area`,
 * L the cotangent Laplacian (Botsch and Sorkine, "On linear variational surface deformation methods", 2008), solved by conjugate
 * gradients.
 */
export class SurfaceFit {
  private readonly count: number
  private readonly start: Int32Array
  private readonly list: Int32Array
  private readonly weight: Float64Array
  private readonly inverseArea: Float64Array
  private readonly diagonal: Float64Array

  /** @param positions - `[N * 3]` mm, the shape whose angles and areas count */
  constructor(positions: Float64Array, triangles: ArrayLike<number>) {
    const count = positions.length / 3
    this.count = count
    const rows = Array.from({ length: count }, () => new Map<number, number>())
    const area = new Float64Array(count)
    for (let t = 0; t < triangles.length; t += 3) {
      for (let k = 0; k < 3; k++) {
        const [a, b, c] = [triangles[t + k], triangles[t + ((k + 1) % 3)], triangles[t + ((k + 2) % 3)]]
        const u = [0, 1, 2].map((x) => positions[a * 3 + x] - positions[c * 3 + x])
        const v = [0, 1, 2].map((x) => positions[b * 3 + x] - positions[c * 3 + x])
        const twice = Math.hypot(
          u[1] * v[2] - u[2] * v[1],
          u[2] * v[0] - u[0] * v[2],
          u[0] * v[1] - u[1] * v[0],
        )
        const cotangent =
          Math.max((u[0] * v[0] + u[1] * v[1] + u[2] * v[2]) / Math.max(twice, 1e-6), 0.05) / 2
        rows[a].set(b, (rows[a].get(b) ?? 0) + cotangent)
        rows[b].set(a, (rows[b].get(a) ?? 0) + cotangent)
        area[a] += twice / 6
      }
    }
    this.inverseArea = area.map((value) => 1 / Math.max(value, 0.05))
    this.start = new Int32Array(count + 1)
    rows.forEach((row, i) => (this.start[i + 1] = this.start[i] + row.size))
    this.list = new Int32Array(this.start[count])
    this.weight = new Float64Array(this.start[count])
    this.diagonal = new Float64Array(count)
    rows.forEach((row, i) => {
      let at = this.start[i]
      for (const [j, w] of row) {
        this.list[at] = j
        this.weight[at++] = w
        this.diagonal[i] += w
      }
    })
  }

  /** L' A^-1 L x */
  private bend(x: Float64Array): Float64Array {
    const once = this.laplacian(x)
    for (let i = 0; i < once.length; i++) once[i] *= this.inverseArea[Math.floor(i / 3)]
    return this.laplacian(once)
  }

  private laplacian(x: Float64Array): Float64Array {
    const result = new Float64Array(x.length)
    for (let i = 0; i < this.count; i++) {
      let [a, b, c] = [0, 0, 0]
      for (let k = this.start[i]; k < this.start[i + 1]; k++) {
        const [j, w] = [this.list[k] * 3, this.weight[k]]
        a += w * x[j]
        b += w * x[j + 1]
        c += w * x[j + 2]
      }
      const d = this.diagonal[i]
      result[i * 3] = d * x[i * 3] - a
      result[i * 3 + 1] = d * x[i * 3 + 1] - b
      result[i * 3 + 2] = d * x[i * 3 + 2] - c
    }
    return result
  }

  /** @param weights - `[N * 9]` W_i, symmetric
   * @param targets - `[N * 3]` t_i
   * @param first - where to begin
   * @returns `[N * 3]`
   */
  solve(
    targets: Float64Array,
    weights: Float64Array,
    stiffness: number,
    first: Float64Array = new Float64Array(targets.length),
    { rounds = 400, tolerance = 1e-5 } = {},
  ): Float64Array {
    const pull = (x: Float64Array) => {
      const result = new Float64Array(x.length)
      for (let i = 0; i < this.count; i++) {
        for (let r = 0; r < 3; r++) {
          for (let c = 0; c < 3; c++) result[i * 3 + r] += weights[i * 9 + r * 3 + c] * x[i * 3 + c]
        }
      }
      return result
    }
    const apply = (x: Float64Array) => {
      const result = pull(x)
      const bent = this.bend(x)
      for (let i = 0; i < x.length; i++) result[i] += stiffness * bent[i]
      return result
    }
    const scale = Float64Array.from(targets, (_, i) => {
      const v = Math.floor(i / 3)
      let bend = this.diagonal[v] ** 2 * this.inverseArea[v]
      for (let k = this.start[v]; k < this.start[v + 1]; k++) {
        bend += this.weight[k] ** 2 * this.inverseArea[this.list[k]]
      }
      return 1 / (weights[v * 9 + (i % 3) * 4] + stiffness * bend + 1e-12)
    })
    const x = first.slice()
    const right = pull(targets)
    const start = apply(x)
    const r = right.map((value, i) => value - start[i])
    let z = r.map((value, i) => value * scale[i])
    const p = z.slice()
    let rz = dot(r, z)
    const enough =
      tolerance ** 2 *
      Math.max(
        dot(
          right,
          right.map((value, i) => value * scale[i]),
        ),
        1e-20,
      )
    for (let round = 0; round < rounds && rz > enough; round++) {
      const q = apply(p)
      const step = rz / dot(p, q)
      for (let i = 0; i < x.length; i++) {
        x[i] += step * p[i]
        r[i] -= step * q[i]
      }
      z = r.map((value, i) => value * scale[i])
      const next = dot(r, z)
      for (let i = 0; i < x.length; i++) p[i] = z[i] + (next / rz) * p[i]
      rz = next
    }
    return x
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}
