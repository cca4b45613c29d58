import { EigenvalueDecomposition, Matrix, CholeskyDecomposition } from 'ml-matrix'

/** The rest of a head as a linear function of points of its face: `rest = sum_k field_k * (weights_k . points)`, all of them differences from the mean. */
export interface RestRegression {
  /** `[R][M * 3]` */
  fields: Float64Array[]
  /** `[R][P * 3]` */
  weights: Float64Array[]
  /** `[R][L * 3]` of what goes with the rest without a say in which modes there are. */
  followers: Float64Array[]
  /** Share of the rest's variance that the face tells. */
  explained: number
}

/** Noise of the points, mm: what a face that isn't one of the samples may be off. */
const NOISE = 0.7

/** Linear regression over people whose faces and heads are known: the conditional mean of a Gaussian, cut to its largest modes.
 *
 * @param points - `[K][P * 3]` how each of K independent normal numbers moves the face's points, mm
 * @param rest - `[K][M * 3]` how it moves the rest
 * @param count - R
 * @param followers - `[K][L * 3]` other things that the numbers move
 */
export function regressRest(
  points: readonly Float64Array[],
  rest: readonly Float64Array[],
  count: number,
  followers: readonly Float64Array[] = rest.map(() => new Float64Array(0)),
): RestRegression {
  const x = new Matrix(points.map((row) => [...row]))
  const people = x.rows
  // K x K instead of 3 P x 3 P: X' (X X' + s^2 I)^-1 = (X' X + s^2 I)^-1 X', with one row for each number.
  const inner = x.mmul(x.transpose())
  const damped = inner.clone()
  for (let k = 0; k < people; k++) damped.set(k, k, damped.get(k, k) + NOISE ** 2)
  const toPeople = new CholeskyDecomposition(damped).solve(x)
  // Covariance of the numbers as they are estimated: T (X' X + s^2 I) T'.
  const known = new CholeskyDecomposition(damped).solve(inner)
  const root = new CholeskyDecomposition(symmetric(known, 1e-9)).lowerTriangularMatrix
  const across = root.transpose()
  const moved = across.mmul(new Matrix(rest.map((row) => [...row])))
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(moved.mmul(moved.transpose()), {
    assumeSymmetric: true,
  })
  const order = realEigenvalues.map((_, k) => k).sort((a, b) => realEigenvalues[b] - realEigenvalues[a])
  const chosen = new Matrix(
    order.slice(0, count).map((k) => Array.from({ length: people }, (_, r) => eigenvectorMatrix.get(r, k))),
  )
  const back = new Matrix(forward(root, toPeople))
  const total = rest.reduce((sum, row) => sum + row.reduce((all, value) => all + value ** 2, 0), 0)
  return {
    fields: chosen
      .mmul(moved)
      .to2DArray()
      .map((row) => Float64Array.from(row)),
    weights: chosen
      .mmul(back)
      .to2DArray()
      .map((row) => Float64Array.from(row)),
    followers:
      followers[0].length === 0
        ? order.slice(0, count).map(() => new Float64Array(0))
        : chosen
            .mmul(across)
            .mmul(new Matrix(followers.map((row) => [...row])))
            .to2DArray()
            .map((row) => Float64Array.from(row)),
    explained: order.slice(0, count).reduce((sum, k) => sum + realEigenvalues[k], 0) / total,
  }
}

function symmetric(matrix: Matrix, ridge: number): Matrix {
  const sum = matrix.clone().add(matrix.transpose()).mul(0.5)
  for (let k = 0; k < sum.rows; k++) sum.set(k, k, sum.get(k, k) + ridge)
  return sum
}

/** L^-1 B for a lower triangular L. */
function forward(lower: Matrix, right: Matrix): number[][] {
  const rows: number[][] = []
  for (let i = 0; i < lower.rows; i++) {
    const row = right.getRow(i)
    for (let j = 0; j < i; j++) {
      const share = lower.get(i, j)
      for (let c = 0; c < row.length; c++) row[c] -= share * rows[j][c]
    }
    rows.push(row.map((value) => value / lower.get(i, i)))
  }
  return rows
}
