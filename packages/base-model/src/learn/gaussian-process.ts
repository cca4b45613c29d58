import { EigenvalueDecomposition, Matrix } from 'ml-matrix'

/** Scales of the kernel: distances in mm over which points move together, and how far they move. */
const SCALES = [
  { length: 60, deviation: 3.5 },
  { length: 30, deviation: 2 },
  { length: 15, deviation: 1 },
] as const

/** Depth varies more than height and width. */
const DEPTH = 1.5

/** Displacement fields of a Gaussian process, largest variance first, each one standard deviation long. */
export interface Modes {
  /** `[K][N * 3]` */
  fields: Float64Array[]
  symmetric: boolean[]
}

/** An orthonormal basis of the symmetric (or antisymmetric) displacement fields: pairs of (coordinate, weight). */
export function mirrorBasis(mirror: readonly number[], symmetric: boolean): [number, number][][] {
  const basis: [number, number][][] = []
  mirror.forEach((j, i) => {
    if (j < i) return
    for (let c = 0; c < 3; c++) {
      const sign = (c === 0 ? -1 : 1) * (symmetric ? 1 : -1)
      if (j === i) {
        if (sign > 0) basis.push([[i * 3 + c, 1]])
      } else {
        basis.push([
          [i * 3 + c, Math.SQRT1_2],
          [j * 3 + c, sign * Math.SQRT1_2],
        ])
      }
    }
  })
  return basis
}

/** Infinitesimal similarity motions `[7][N * 3]`. */
export function similarityMotions(positions: Float64Array): Float64Array[] {
  const count = positions.length / 3
  const field = (at: (x: number, y: number, z: number) => number[]) => {
    const result = new Float64Array(count * 3)
    for (let i = 0; i < count; i++) {
      result.set(at(positions[i * 3], positions[i * 3 + 1], positions[i * 3 + 2]), i * 3)
    }
    return result
  }
  return [
    field(() => [1, 0, 0]),
    field(() => [0, 1, 0]),
    field(() => [0, 0, 1]),
    field((_, y, z) => [0, -z, y]),
    field((x, _, z) => [z, 0, -x]),
    field((x, y) => [-y, x, 0]),
    field((x, y, z) => [x, y, z]),
  ]
}

/** Covariance of a Gaussian process, a sum of Gaussian kernels, in the weighted coordinates of `basis`.
 *
 * @param root - `[N]` root of each vertex's weight
 */
export function gaussianCovariance(
  positions: Float64Array,
  root: Float64Array,
  basis: readonly [number, number][][],
): Matrix {
  const count = positions.length / 3
  const kernel = new Float64Array(count * count)
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      let squared = 0
      for (let c = 0; c < 3; c++) squared += (positions[i * 3 + c] - positions[j * 3 + c]) ** 2
      for (const { length, deviation } of SCALES) {
        kernel[i * count + j] += deviation ** 2 * Math.exp(-squared / length ** 2)
      }
      kernel[i * count + j] *= root[i] * root[j]
    }
  }
  const axis = [1, 1, DEPTH]
  const size = basis.length
  const covariance = Matrix.zeros(size, size)
  for (let a = 0; a < size; a++) {
    for (let b = a; b < size; b++) {
      let sum = 0
      for (const [p, wp] of basis[a]) {
        for (const [q, wq] of basis[b]) {
          if (p % 3 !== q % 3) continue
          sum += wp * wq * axis[p % 3] ** 2 * kernel[Math.floor(p / 3) * count + Math.floor(q / 3)]
        }
      }
      covariance.set(a, b, sum)
      covariance.set(b, a, sum)
    }
  }
  return covariance
}

/** The main modes of a Gaussian process of smooth deformations (Luthi et al., "Gaussian Process Morphable Models",
 * TPAMI 2018): a sum of Gaussian kernels, split into its symmetric and antisymmetric parts, without motions of the
 * whole head, decomposed with the vertices' areas as weights.
 *
 * @param area - `[N]` area around each vertex
 */
export function gaussianProcessModes(
  positions: Float64Array,
  mirror: readonly number[],
  area: Float64Array,
  options: { count: number; asymmetry: number; rootMeanSquare: number },
): Modes {
  const totalArea = area.reduce((sum, value) => sum + value, 0)
  const root = area.map((value) => Math.sqrt(value / totalArea))
  const motions = similarityMotions(positions)
  const found: { variance: number; field: Float64Array; symmetric: boolean }[] = []
  for (const symmetric of [true, false]) {
    const basis = mirrorBasis(mirror, symmetric)
    const covariance = gaussianCovariance(positions, root, basis)
    projectOut(covariance, basis, motions, root)
    const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(covariance, {
      assumeSymmetric: true,
    })
    realEigenvalues.forEach((value, k) => {
      const variance = Math.max(value, 0) * (symmetric ? 1 : options.asymmetry ** 2)
      found.push({ variance, field: expand(basis, eigenvectorMatrix.getColumn(k), root), symmetric })
    })
  }
  found.sort((a, b) => b.variance - a.variance)
  const total = found.reduce((sum, mode) => sum + mode.variance, 0)
  const scale = options.rootMeanSquare / Math.sqrt(total)
  const kept = found.slice(0, options.count)
  return {
    fields: kept.map(({ variance, field }) => field.map((value) => value * Math.sqrt(variance) * scale)),
    symmetric: kept.map((mode) => mode.symmetric),
  }
}

/** (I - Q Q^T) C (I - Q Q^T), Q an orthonormal basis of the motions in the weighted coordinates of `basis`. */
export function projectOut(
  covariance: Matrix,
  basis: readonly [number, number][][],
  motions: readonly Float64Array[],
  root: Float64Array,
): void {
  const orthonormal: number[][] = []
  for (const motion of motions) {
    let vector = basis.map((terms) =>
      terms.reduce((sum, [p, weight]) => sum + weight * motion[p] * root[Math.floor(p / 3)], 0),
    )
    const before = Math.hypot(...vector)
    for (const other of orthonormal) {
      const dot = vector.reduce((sum, value, i) => sum + value * other[i], 0)
      vector = vector.map((value, i) => value - dot * other[i])
    }
    const length = Math.hypot(...vector)
    if (length > 1e-9 * Math.max(before, 1)) orthonormal.push(vector.map((value) => value / length))
  }
  // (I - Q Q^T) C (I - Q Q^T) = C - Q A^T - A Q^T + Q B Q^T with A = C Q, B = Q^T C Q: a few columns, not whole matrices.
  const q = new Matrix(orthonormal).transpose()
  const a = covariance.mmul(q)
  const b = q.transpose().mmul(a)
  const half = Matrix.sub(a, Matrix.mul(q.mmul(b), 0.5))
  const change = half.mmul(q.transpose())
  for (let i = 0; i < basis.length; i++) {
    for (let j = 0; j < basis.length; j++) {
      covariance.set(i, j, covariance.get(i, j) - change.get(i, j) - change.get(j, i))
    }
  }
}

/** Back to `[N * 3]`, without the area weights; the largest number positive, since an eigenvector's sign is arbitrary. */
export function expand(
  basis: readonly [number, number][][],
  vector: readonly number[],
  root: Float64Array,
): Float64Array {
  const field = new Float64Array(root.length * 3)
  vector.forEach((value, a) => {
    for (const [p, weight] of basis[a]) field[p] += (weight * value) / root[Math.floor(p / 3)]
  })
  let largest = 0
  for (const value of field) if (Math.abs(value) > Math.abs(largest) * (1 + 1e-9)) largest = value
  return largest < 0 ? field.map((value) => -value) : field
}
