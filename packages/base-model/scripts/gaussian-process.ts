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
function mirrorBasis(mirror: readonly number[], symmetric: boolean): [number, number][][] {
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
function similarityMotions(positions: Float64Array): Float64Array[] {
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

/** The main modes of a Gaussian process of smooth deformations (Luthi et al., "Gaussian Process Morphable Models",
 * TPAMI 2018): a sum of Gaussian kernels, split into its symmetric and antisymmetric parts, without motions of the
 * whole head, decomposed with the vertices' areas as weights.
 *
 * @param area - `[N]` area around each vertex
 * @param amplitude - `[N]` factor of the deviation at each vertex
 */
export function gaussianProcessModes(
  positions: Float64Array,
  mirror: readonly number[],
  area: Float64Array,
  options: { count: number; asymmetry: number; rootMeanSquare: number; amplitude?: Float64Array },
): Modes {
  const count = positions.length / 3
  const totalArea = area.reduce((sum, value) => sum + value, 0)
  const root = area.map((value) => Math.sqrt(value / totalArea))
  const amplitude = options.amplitude ?? new Float64Array(count).fill(1)
  const kernel = new Float64Array(count * count)
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      let squared = 0
      for (let c = 0; c < 3; c++) squared += (positions[i * 3 + c] - positions[j * 3 + c]) ** 2
      for (const { length, deviation } of SCALES) {
        kernel[i * count + j] += deviation ** 2 * Math.exp(-squared / length ** 2)
      }
      kernel[i * count + j] *= root[i] * root[j] * amplitude[i] * amplitude[j]
    }
  }
  const axis = [1, 1, DEPTH]
  const motions = similarityMotions(positions)
  const found: { variance: number; field: Float64Array; symmetric: boolean }[] = []
  for (const symmetric of [true, false]) {
    const basis = mirrorBasis(mirror, symmetric)
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
function projectOut(
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
  const projector = Matrix.eye(basis.length)
  for (const vector of orthonormal) {
    const column = Matrix.columnVector(vector)
    projector.sub(column.mmul(column.transpose()))
  }
  const projected = projector.mmul(covariance).mmul(projector)
  for (let i = 0; i < basis.length; i++) {
    for (let j = 0; j < basis.length; j++) {
      covariance.set(i, j, (projected.get(i, j) + projected.get(j, i)) / 2)
    }
  }
}

/** Back to `[N * 3]`, without the area weights; the largest number positive, since an eigenvector's sign is arbitrary. */
function expand(
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
