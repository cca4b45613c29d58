import type { MorphableModel } from '@facekit/morphable'

/** How much two identities differ in shape, as a quadratic form of the difference d of their coefficients:
 *
 *     d^T G d = sum_v w_v |P (B d)_v|^2 / trace
 *
 * P takes away what a small motion, turn or change of size of the mean face would do, which no camera tells from another place of the face. The trace is the
 * mean of the sum over people, so that 1 is what always saying the mean face costs, and 1 minus the mean is the share of the
 * differences between people that was found.
 *
 * @param vertices - which ones count; each as much as the others, unless
 * @param weights - says otherwise
 * @returns `[Ki * Ki]` G
 */
export function shapeMetric(
  model: MorphableModel,
  vertices: ArrayLike<number>,
  weights?: ArrayLike<number>,
): Float32Array {
  const { mean, identity } = model.shape
  const { identity: modes } = model.layout
  const count = vertices.length
  const roots = Float64Array.from({ length: count }, (_, i) => Math.sqrt(weights?.[i] ?? 1))
  const rowOf = (data: ArrayLike<number>, mode: number) =>
    Float64Array.from({ length: 3 * count }, (_, i) => {
      const point = Math.floor(i / 3)
      return roots[point] * data[(mode * model.vertexCount + vertices[point]) * 3 + (i % 3)]
    })
  const motions = orthonormal(similarityMotions(rowOf(mean.data, 0), roots))
  const rows = Array.from({ length: modes }, (_, k) => without(rowOf(identity.data, k), motions))
  const metric = new Float64Array(modes * modes)
  for (let i = 0; i < modes; i++) {
    for (let k = 0; k <= i; k++) metric[i * modes + k] = metric[k * modes + i] = dot(rows[i], rows[k])
  }
  let trace = 0
  for (let i = 0; i < modes; i++) trace += metric[i * modes + i]
  return Float32Array.from(metric, (value) => value / Math.max(trace, 1e-12))
}

/** What moving, turning and enlarging do to points, to first order. */
function similarityMotions(points: Float64Array, roots: Float64Array): Float64Array[] {
  const motion = (of: (x: number, y: number, z: number, root: number) => readonly number[]) =>
    Float64Array.from(
      Array.from(roots, (root, i) =>
        of(points[3 * i], points[3 * i + 1], points[3 * i + 2], root),
      ).flat() as number[],
    )
  return [
    motion((_x, _y, _z, root) => [root, 0, 0]),
    motion((_x, _y, _z, root) => [0, root, 0]),
    motion((_x, _y, _z, root) => [0, 0, root]),
    motion((_x, y, z) => [0, -z, y]),
    motion((x, _y, z) => [z, 0, -x]),
    motion((x, y) => [-y, x, 0]),
    motion((x, y, z) => [x, y, z]),
  ]
}

function orthonormal(rows: Float64Array[]): Float64Array[] {
  const result: Float64Array[] = []
  for (const row of rows) {
    const rest = without(without(row, result), result)
    const length = Math.sqrt(dot(rest, rest))
    if (length > 1e-9) result.push(rest.map((value) => value / length))
  }
  return result
}

/** What of a row is perpendicular to the others, which are orthonormal. */
function without(row: Float64Array, others: readonly Float64Array[]): Float64Array {
  const rest = row.slice()
  for (const other of others) {
    const share = dot(rest, other)
    for (let i = 0; i < rest.length; i++) rest[i] -= share * other[i]
  }
  return rest
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}
