import { assertShape } from '@facekit/core'
import type { ParameterLayout } from '@facekit/parameters'
import { choleskyFactor, choleskyInverse } from './cholesky.js'

/** How many times less a picture says of identity than its points' deviations do, each point for itself.
 *
 * Chosen with rendered heads that no network had seen (benchmarks/calibration.ts): the deviations of the points are right, but what a network does not
 * see it takes from the faces that it knows, everywhere at once, so that errors hang together over the whole face. */
const SHARED_ERRORS = 64

/** The covariance of a fit's coefficients, made honest: errors of a network's points that the whole face shares count as such.
 *
 *     V' = (1 + (V^-1 - 1) / 64)^-1
 *
 * for identity, whose prior is N(0, 1): what the picture says of it counts a 64th part. Expression given identity stays as it is. The fit itself needs no such
 * correction: the points are means of what may be, and have their regression to the mean face in them already.
 *
 * @param covariance - `[(Ki + Ke)^2]` of identity and expression coefficients, e.g. `LandmarkFit.posterior.covariance`
 * @returns as large, for `shapeUncertainty`
 * @throws {ShapeError} when the numbers are not those of the layout
 */
export function calibrateCovariance(
  covariance: Float64Array,
  { identity, expression }: Pick<ParameterLayout, 'identity' | 'expression'>,
): Float64Array {
  const n = identity + expression
  assertShape('calibrateCovariance: covariance', { shape: [covariance.length] }, [n * n])
  const own = new Float64Array(identity * identity)
  for (let i = 0; i < identity; i++)
    for (let j = 0; j < identity; j++) own[i * identity + j] = covariance[i * n + j]
  const factor = choleskyFactor(own, identity)
  if (!factor) return covariance.slice()
  const precision = choleskyInverse(factor, identity)
  const honest = precision.map((value) => value / SHARED_ERRORS)
  for (let i = 0; i < identity; i++) honest[i * identity + i] += 1 - 1 / SHARED_ERRORS
  const wider = choleskyInverse(choleskyFactor(honest, identity)!, identity)
  // Expression follows identity by its regression on it: V_ei V_ii^-1.
  const across = covariance.subarray(identity * n)
  const follow = product(
    expression,
    identity,
    identity,
    (e, i) => across[e * n + i],
    (i, j) => precision[i * identity + j],
  )
  const between = product(
    expression,
    identity,
    identity,
    (e, i) => follow[e * identity + i],
    (i, j) => wider[i * identity + j],
  )
  const more = product(
    expression,
    identity,
    expression,
    (e, i) => between[e * identity + i] - across[e * n + i],
    (i, e) => follow[e * identity + i],
  )
  const result = covariance.slice()
  for (let i = 0; i < identity; i++)
    for (let j = 0; j < identity; j++) result[i * n + j] = wider[i * identity + j]
  for (let e = 0; e < expression; e++) {
    for (let i = 0; i < identity; i++)
      result[(identity + e) * n + i] = result[i * n + identity + e] = between[e * identity + i]
    for (let f = 0; f < expression; f++) result[(identity + e) * n + identity + f] += more[e * expression + f]
  }
  return result
}

function product(
  rows: number,
  inner: number,
  columns: number,
  left: (row: number, k: number) => number,
  right: (k: number, column: number) => number,
): Float64Array {
  const result = new Float64Array(rows * columns)
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < inner; k++) {
      const value = left(i, k)
      for (let j = 0; j < columns; j++) result[i * columns + j] += value * right(k, j)
    }
  return result
}
