import type { Vec3 } from './vector.js'

/** A part of the mouth while it is made. */
export class Part {
  readonly positions: Vec3[] = []
  readonly triangles: number[] = []
  /** How far each vertex goes with the jaw, 0..1. */
  readonly jaw: number[] = []
  /** How far each vertex goes with a tongue that is put out, 0..1. */
  readonly reach: number[] = []
  /** Where between the two colours of its part each is, 0..1. */
  readonly tint: number[] = []

  /** @returns number of the vertex */
  add(position: Vec3, jaw: number, tint: number, reach = 0): number {
    this.jaw.push(jaw)
    this.reach.push(reach)
    this.tint.push(tint)
    return this.positions.push(position) - 1
  }

  /** A row of quads between two rows of vertices, each cut along its shorter diagonal.
   *
   * @param flip - seen with `above` over `below`, vertices from left to right, the surface faces away
   */
  band(above: readonly number[], below: readonly number[], { closed = false, flip = false } = {}): void {
    for (let i = 0; i + (closed ? 0 : 1) < above.length; i++) {
      const next = (i + 1) % above.length
      this.quad([above[i], below[i], below[next], above[next]], flip)
    }
  }

  /** @param corners - counter-clockwise seen from outside */
  quad([a, b, c, d]: readonly [number, number, number, number], flip = false): void {
    const length = (v: number, w: number) =>
      Math.hypot(...[0, 1, 2].map((k) => this.positions[v][k] - this.positions[w][k]))
    const corners = length(a, c) <= length(b, d) ? [a, b, c, a, c, d] : [a, b, d, b, c, d]
    for (let t = 0; t < 6; t += 3) this.triangle(corners.slice(t, t + 3), flip)
  }

  /** Nothing where two corners are one. */
  triangle([a, b, c]: readonly number[], flip = false): void {
    if (a !== b && b !== c && c !== a) this.triangles.push(...(flip ? [a, c, b] : [a, b, c]))
  }
}
