import type { MorphableModel } from '@facekit/morphable'

/** The rows of a model that observed points need, in float64: some hundred of its thousands of vertices. */
export interface PointBasis {
  /** Number of vertices V that are kept, and of modes K, identity before expression. */
  rows: number
  modes: number
  identityCount: number
  /** `[V * 3]` mm. */
  mean: Float64Array
  /** `[V * 3, K]` mm: all modes of one coordinate lie side by side, which is how normal equations read them. */
  basis: Float64Array
  /** For each point: rows of the vertices that it may be; one, but for jaw landmarks, which slide along the outline. */
  candidates: readonly Int32Array[]
}

/** Takes the rows of some points out of a model.
 *
 * @param points - for each point the vertices that it may be
 */
export function pointBasis(model: MorphableModel, points: readonly ArrayLike<number>[]): PointBasis {
  const rowOf = new Map<number, number>()
  const row = (vertex: number) => {
    if (!rowOf.has(vertex)) rowOf.set(vertex, rowOf.size)
    return rowOf.get(vertex)!
  }
  const candidates = points.map((vertices) => Int32Array.from(vertices, row))
  const { identity: identityCount, expression } = model.layout
  const modes = identityCount + expression
  const size = 3 * model.vertexCount
  const mean = new Float64Array(3 * rowOf.size)
  const basis = new Float64Array(3 * rowOf.size * modes)
  const { shape } = model
  for (const [vertex, v] of rowOf) {
    for (let axis = 0; axis < 3; axis++) {
      const at = 3 * vertex + axis
      const to = 3 * v + axis
      mean[to] = shape.mean.data[at] as number
      for (let k = 0; k < identityCount; k++)
        basis[to * modes + k] = shape.identity.data[k * size + at] as number
      for (let k = 0; k < expression; k++)
        basis[to * modes + identityCount + k] = shape.expression.data[k * size + at] as number
    }
  }
  return { rows: rowOf.size, modes, identityCount, mean, basis, candidates }
}

/** Positions `[V * 3]` mm of the basis' rows. */
export function evaluatePoints(basis: PointBasis, coefficients: ArrayLike<number>): Float64Array {
  const { modes } = basis
  const positions = Float64Array.from(basis.mean)
  for (let r = 0; r < positions.length; r++) {
    const at = r * modes
    let sum = 0
    for (let k = 0; k < modes; k++) sum += basis.basis[at + k] * coefficients[k]
    positions[r] += sum
  }
  return positions
}
