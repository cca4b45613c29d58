import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import {
  expand,
  gaussianCovariance,
  mirrorBasis,
  projectOut,
  similarityMotions,
  type Modes,
} from './gaussian-process.js'

/** What identity modes are made of. */
export interface IdentityModesOptions {
  /** Number of modes. */
  count: number
  /** `[468 * 3]` fields, mm, whose mean square is the learned covariance (sum, not mean), with weights that may be negative. */
  learned: readonly { field: Float64Array; weight: number }[]
  /** Share of the learned covariance in the whole, 0..1; the rest is the Gaussian process. */
  learnedShare: number
  /** Deviation of the asymmetric part of the Gaussian process, in parts of the symmetric one. */
  asymmetry: number
  /** Root mean square of a random face's distance from the mean, mm. */
  rootMeanSquare: number
}

/** Modes of the learned covariance mixed with a Gaussian process of smooth deformations, by falling variance. */
export function identityModes(
  positions: Float64Array,
  mirror: readonly number[],
  area: Float64Array,
  options: IdentityModesOptions,
): Modes {
  const totalArea = area.reduce((sum, value) => sum + value, 0)
  const root = area.map((value) => Math.sqrt(value / totalArea))
  const motions = similarityMotions(positions)
  const found: { variance: number; field: Float64Array; symmetric: boolean }[] = []
  let gaussianTrace = 0
  for (const symmetric of [true, false]) {
    const basis = mirrorBasis(mirror, symmetric)
    const covariance = gaussianCovariance(positions, root, basis)
    projectOut(covariance, basis, motions, root)
    // The asymmetric part is that of the Gaussian process, in proportion.
    if (symmetric) gaussianTrace = covariance.trace()
    const gaussian = (1 - options.learnedShare) / gaussianTrace
    covariance.mul(symmetric ? gaussian : options.asymmetry ** 2 / gaussianTrace)
    if (symmetric && options.learnedShare > 0) {
      const learned = learnedCovariance(options.learned, basis, root)
      projectOut(learned, basis, motions, root)
      covariance.add(learned.mul(options.learnedShare / learned.trace()))
    }
    const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(covariance, {
      assumeSymmetric: true,
    })
    realEigenvalues.forEach((value, k) => {
      found.push({
        variance: Math.max(value, 0),
        field: expand(basis, eigenvectorMatrix.getColumn(k), root),
        symmetric,
      })
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

function learnedCovariance(
  fields: readonly { field: Float64Array; weight: number }[],
  basis: readonly [number, number][][],
  root: Float64Array,
): Matrix {
  const rows = new Matrix(
    fields.map(({ field, weight }) =>
      basis.map(
        (terms) =>
          Math.sqrt(Math.abs(weight)) *
          terms.reduce((sum, [p, w]) => sum + w * field[p] * root[Math.floor(p / 3)], 0),
      ),
    ),
  )
  const signed = rows.clone()
  fields.forEach(({ weight }, i) => {
    if (weight < 0) signed.mulRow(i, -1)
  })
  return rows.transpose().mmul(signed)
}
