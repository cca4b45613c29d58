import { assertInRange, assertShape } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'

/** What identity coefficients are expected to be: normally distributed. */
export interface IdentityPrior {
  /** `[Ki]` */
  mean: ArrayLike<number>
  /** `[Ki]` standard deviations. */
  deviations: ArrayLike<number>
}

/** How expression coefficients of blendshapes are expected to be spread. */
export interface ExpressionPrior {
  /** Mean of a coefficient, which is exponentially distributed: most are 0, a few are large. */
  mean: number
  /** Standard deviation of the difference between left and right of one expression, and of the two eyes' directions. */
  asymmetry: number
}

/** Prior of all coefficients, identity before expression, as a quadratic: -2 log p = c' A c - 2 b' c + constant, and bounds. */
export interface ShapePrior {
  /** `[K * K]` A. */
  precision: Float64Array
  /** `[K]` b. */
  right: Float64Array
  /** `[K]` precision of each coefficient that the exponential distribution would have if it were a normal one: for the posterior. */
  spread: Float64Array
  /** `[K]` */
  lowest: Float64Array
  highest: Float64Array
}

/** Of a face that does not change. */
export const noPrior: ShapePrior = {
  precision: new Float64Array(0),
  right: new Float64Array(0),
  spread: new Float64Array(0),
  lowest: new Float64Array(0),
  highest: new Float64Array(0),
}

/** Prior of a model's coefficients.
 *
 * Identity is N(0, 1), or as given. Blendshapes (`expressionRange`) are exponentially distributed, one-sided as the muscles are: a normal distribution
 * of the same width gives each of fifty a little of what is identity, and takes from the few that are strong. Other expression modes are N(0, 1).
 */
export function shapePrior(
  model: MorphableModel,
  identity: IdentityPrior | undefined,
  expression: ExpressionPrior,
): ShapePrior {
  const { identity: identityCount, expression: expressionCount } = model.layout
  const size = identityCount + expressionCount
  const precision = new Float64Array(size * size)
  const right = new Float64Array(size)
  const spread = new Float64Array(size)
  for (let k = 0; k < identityCount; k++) {
    const p = 1 / (identity?.deviations[k] ?? 1) ** 2
    precision[k * size + k] = p
    right[k] = p * (identity?.mean[k] ?? 0)
  }
  const range = model.shape.expressionRange
  for (let k = identityCount; k < size; k++) {
    if (!range) precision[k * size + k] = 1
    else {
      right[k] = -1 / expression.mean
      spread[k] = 1 / expression.mean ** 2
    }
  }
  if (range) {
    const p = 1 / expression.asymmetry ** 2
    for (const [l, r] of expressionPairs(model.shape.expressionNames ?? [])) {
      const [a, b] = [identityCount + l, identityCount + r]
      precision[a * size + a] += p
      precision[b * size + b] += p
      precision[a * size + b] -= p
      precision[b * size + a] -= p
    }
  }
  const bound = (value: number) =>
    Float64Array.from({ length: size }, (_, k) => (k < identityCount ? Math.sign(value) * Infinity : value))
  return {
    precision,
    right,
    spread,
    lowest: range ? bound(range[0]).map((v, k) => (k < identityCount ? -Infinity : v)) : bound(-Infinity),
    highest: range ? bound(range[1]).map((v, k) => (k < identityCount ? Infinity : v)) : bound(Infinity),
  }
}

/** Checks an identity prior against a model.
 *
 * @throws {ShapeError} when it has another number of coefficients
 * @throws {ValueError} when a deviation is not positive
 */
export function assertIdentityPrior(who: string, prior: IdentityPrior, model: MorphableModel): void {
  const { identity } = model.layout
  assertShape(`${who}.mean`, { shape: [prior.mean.length] }, [identity])
  assertShape(`${who}.deviations`, { shape: [prior.deviations.length] }, [identity])
  for (let k = 0; k < identity; k++) assertInRange(`${who}.deviations[${k}]`, prior.deviations[k], 1e-6)
}

/** Expressions that come together: left and right of one name; an eye that looks inwards and the other one outwards. */
export function expressionPairs(names: readonly string[]): [number, number][] {
  const pairs: [number, number][] = []
  for (const [left, name] of names.entries()) {
    const stem = /^(.*\w)(?:Left|_L)$/.exec(name)?.[1]
    // A jaw does not go left and right at once.
    if (stem === undefined || stem === 'jaw' || stem === 'mouth') continue
    const other = stem.replace(/In$|Out$/, (end) => (end === 'In' ? 'Out' : 'In'))
    const right = names.findIndex((candidate) => candidate === `${other}Right` || candidate === `${other}_R`)
    if (right >= 0) pairs.push([left, right])
  }
  return pairs
}
