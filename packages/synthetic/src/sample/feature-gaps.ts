import type { MorphableModel } from '@facekit/morphable'

/** Landmarks above each other: three pairs of the inner lips, two of each eye's lids, the subject's right eye first. */
const PAIRS = [
  [61, 67],
  [62, 66],
  [63, 65],
  [37, 41],
  [38, 40],
  [43, 47],
  [44, 46],
] as const
/** Places of the pairs. */
export const LIP_GAPS = [0, 1, 2] as const
export const LID_GAPS = { right: [3, 4], left: [5, 6] } as const

/** How far lips and lids are apart, mm, as coefficients change it. */
export interface FeatureGaps {
  /** `[7]` for coefficients; those that are missing at the end are 0. */
  of(identity: ArrayLike<number>, expression: ArrayLike<number>): Float64Array
  /** `[7]` what one expression coefficient adds. */
  change(expression: number): Float64Array
}

/** Takes the vertical distances between lips and between lids out of a model's bases: linear in the coefficients, as the model is. */
export function featureGaps(model: MorphableModel): FeatureGaps {
  const { landmarks, vertexCount, layout, shape } = model
  const row = (data: ArrayLike<number>, mode: number) =>
    Float64Array.from(PAIRS, ([upper, lower]) => {
      const y = (landmark: number) => data[(mode * vertexCount + landmarks[landmark]) * 3 + 1]
      return y(upper) - y(lower)
    })
  const rows = (data: ArrayLike<number>, modes: number) =>
    Array.from({ length: modes }, (_, k) => row(data, k))
  const mean = row(shape.mean.data, 0)
  const identityRows = rows(shape.identity.data, layout.identity)
  const expressionRows = rows(shape.expression.data, layout.expression)
  const addTo = (gaps: Float64Array, changes: readonly Float64Array[], coefficients: ArrayLike<number>) => {
    for (let k = 0; k < coefficients.length; k++) {
      for (let i = 0; i < gaps.length; i++) gaps[i] += changes[k][i] * coefficients[k]
    }
  }
  return {
    of(identity, expression) {
      const gaps = mean.slice()
      addTo(gaps, identityRows, identity)
      addTo(gaps, expressionRows, expression)
      return gaps
    },
    change: (expression) => expressionRows[expression],
  }
}
