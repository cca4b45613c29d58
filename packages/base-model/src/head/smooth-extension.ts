import { meshNeighbours, type Neighbours } from '@facekit/mesh'
import { EnvelopeCholesky } from './envelope-cholesky.js'

/** Values at vertices that go on from known ones beyond a rim.
 *
 * Of all fields `u` that agree with the known values, the one with least `|D u|^2 + decay |u|^2`: for `order` 2 the way of a thin plate (D takes from each vertex the mean of
 * its neighbours; slopes go on at the rim), for 1 that of a membrane (D are the differences along edges; no value exceeds those around it). Far away it fades. Both
 * systems are linear and the same for all values: they are decomposed once.
 */
export class SmoothExtension {
  readonly #neighbours: Neighbours
  /** Vertices whose values are sought, those next to the known ones first; their places in that order, -1 for the known ones. */
  readonly #unknown: readonly number[]
  readonly #place: Int32Array
  readonly #rows: readonly Map<number, number>[]
  readonly #solver: EnvelopeCholesky

  /** @param known - `[V]` 1 where values are given; every other vertex is connected to one of those */
  constructor(triangles: Int32Array, known: Uint8Array, { order, decay }: { order: 1 | 2; decay: number }) {
    this.#neighbours = meshNeighbours(triangles, known.length)
    this.#unknown = this.#outwards(known)
    this.#place = new Int32Array(known.length).fill(-1)
    this.#unknown.forEach((v, i) => (this.#place[v] = i))
    const rows = order === 1 ? this.#membrane() : this.#plate()
    this.#rows = this.#unknown.map((v) => rows[v].set(v, (rows[v].get(v) ?? 0) + decay))
    this.#solver = new EnvelopeCholesky(
      this.#rows.map((row, i) => {
        const lower = new Map<number, number>()
        for (const [other, value] of row) {
          const j = this.#place[other]
          if (j >= 0 && j <= i) lower.set(j, value)
        }
        return lower
      }),
    )
  }

  /** Fills in what is not known, in place.
   *
   * @param values - `[V * width]`
   */
  fill(values: Float64Array, width: number): void {
    const right = new Float64Array(this.#unknown.length)
    for (let c = 0; c < width; c++) {
      this.#rows.forEach((row, i) => {
        right[i] = 0
        for (const [other, value] of row)
          if (this.#place[other] < 0) right[i] -= value * values[width * other + c]
      })
      this.#solver.solve(right)
      this.#unknown.forEach((v, i) => (values[width * v + c] = right[i]))
    }
  }

  /** Ring by ring from the known vertices outwards, so that neighbours are near each other. */
  #outwards(known: Uint8Array): number[] {
    const { start, list } = this.#neighbours
    const seen = Uint8Array.from(known)
    const order: number[] = []
    const visit = (v: number) => {
      for (let i = start[v]; i < start[v + 1]; i++) {
        if (seen[list[i]]) continue
        seen[list[i]] = 1
        order.push(list[i])
      }
    }
    for (let v = 0; v < known.length; v++) if (known[v]) visit(v)
    for (let at = 0; at < order.length; at++) visit(order[at])
    return order
  }

  /** D' D of the differences along edges: one row for each vertex. */
  #membrane(): Map<number, number>[] {
    const { start, list } = this.#neighbours
    return Array.from({ length: start.length - 1 }, (_, v) => {
      const row = new Map([[v, start[v + 1] - start[v]]])
      for (let i = start[v]; i < start[v + 1]; i++) row.set(list[i], -1)
      return row
    })
  }

  /** D' D of the differences from the neighbours' mean. */
  #plate(): Map<number, number>[] {
    const { start, list } = this.#neighbours
    const rows = Array.from({ length: start.length - 1 }, () => new Map<number, number>())
    for (let v = 0; v < rows.length; v++) {
      const count = start[v + 1] - start[v]
      if (count === 0) continue
      const terms: [number, number][] = [[v, 1]]
      for (let i = start[v]; i < start[v + 1]; i++) terms.push([list[i], -1 / count])
      for (const [a, x] of terms) for (const [b, y] of terms) rows[a].set(b, (rows[a].get(b) ?? 0) + x * y)
    }
    return rows
  }
}
