import { dot } from './albedo-components.js'
import { smoothField } from './albedo-observations.js'
import type { PersonAlbedo } from './albedo-people.js'
import type { LearningTemplate } from './learning-template.js'

/** Factor of a mode's deviation: what does not come back is camera and light for a good part, but not all of it; a model
 * that has to explain photographs needs some of that too. */
export const shrink = (repeatable: number) => repeatable ** 0.25

/** Where highlights are seen, on average and with each mode. */
export function specularShare(
  people: readonly PersonAlbedo[],
  rows: readonly Float64Array[],
  modes: readonly { field: Float64Array; variance: number; repeatable: number }[],
  root: Float64Array,
  { skinEnd, triangles }: LearningTemplate,
): { specularMean: Float64Array; specular: Float64Array[] } {
  const total = people.reduce((sum, { weight }) => sum + weight, 0)
  let mean: Float64Array = new Float64Array(skinEnd)
  for (const { excess, weight } of people) {
    for (let i = 0; i < skinEnd; i++) mean[i] += (weight / total) * excess[i]
  }
  for (let round = 0; round < 4; round++) mean = smoothField(mean, 1, triangles, skinEnd)
  const level = mean.reduce((a, b) => a + b, 0) / skinEnd || 1
  const specularMean = mean.map((value) => value / level)
  const specular = modes.map(({ field, variance, repeatable }) => {
    const weighted = field.map((value, i) => value * root[i] * root[i])
    let change: Float64Array = new Float64Array(skinEnd)
    rows.forEach((row, p) => {
      const share = ((people[p].weight / total) * dot(row, weighted)) / Math.sqrt(variance)
      for (let i = 0; i < skinEnd; i++) change[i] += (share * (people[p].excess[i] - mean[i])) / level
    })
    for (let round = 0; round < 8; round++) change = smoothField(change, 1, triangles, skinEnd)
    return change.map((value) => value * shrink(repeatable))
  })
  return { specularMean, specular }
}
