import type { Random } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'

/** How deep the folds of a face are, 0..1, from its age and its expression. */
export interface SkinFolds {
  /** From the nose to the corners of the mouth. */
  nasolabial: number
  /** Across the forehead. */
  forehead: number
  /** Between the brows. */
  frown: number
}

/** Which coefficients make which folds: highest of those named. */
const CAUSES: Readonly<Record<keyof SkinFolds, RegExp>> = {
  nasolabial: /^(mouthSmile|cheekSquint|noseSneer|mouthUpperUp|mouthDimple)/,
  forehead: /^(browInnerUp|browOuterUp)/,
  frown: /^(browDown|noseSneer)/,
}

/** Makes the function that tells a face's folds: smooth in the young at rest, deep in the old who laugh.
 *
 * @returns from a person's own stream of random numbers, and the expression
 */
export function foldSampler(model: MorphableModel) {
  const names = model.shape.expressionNames ?? []
  const causes = Object.entries(CAUSES).map(
    ([fold, cause]) => [fold, names.flatMap((name, k) => (cause.test(name) ? [k] : []))] as const,
  )
  return (person: Random, expression: ArrayLike<number>): SkinFolds => {
    const age = person.uniform() ** 1.3
    const folds = causes.map(([fold, list]) => {
      const tendency = person.uniform(0.4, 1.2)
      const moved = list.reduce((most, k) => Math.max(most, expression[k]), 0)
      return [fold, Math.min(1, tendency * (0.55 * age + (0.15 + 0.7 * age) * Math.min(1, moved)))] as const
    })
    return Object.fromEntries(folds) as unknown as SkinFolds
  }
}
