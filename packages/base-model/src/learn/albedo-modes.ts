import { albedoComponents, repeatability } from './albedo-components.js'
import type { AlbedoObservation } from './albedo-observations.js'
import { fillUnseen, joinClips, meanOfPeople } from './albedo-people.js'
import { shrink, specularShare } from './albedo-specular.js'
import type { LearningTemplate } from './learning-template.js'

/** What faces look like when light and tone are taken out. */
export interface AlbedoStatistics {
  /** `[skinEnd * 3]` mean, relative to the skin's median, by channel. */
  mean: Float64Array
  /** `[K][skinEnd * 3]` one standard deviation each, relative like the mean. */
  modes: Float64Array[]
  /** `[K][skinEnd]` change of the specular share with each mode, in parts of its mean. */
  specular: Float64Array[]
  /** `[skinEnd]` specular share in parts of its mean over the skin. */
  specularMean: Float64Array
  /** Share of each mode's variance that comes back in other photographs of the same person. */
  repeatability: number[]
  /** Share of the variance of people that the first k modes explain. */
  explained: number[]
  people: number
  /** Deviation between people of log luminance, of log red over green and of log green over blue. */
  toneDeviation: [number, number, number]
}

/** Trust at which a vertex of a person counts half. */
const HALF_TRUST = 0.12
const FILL_ROUNDS = 3
const FILL_RANK = 25

/** Mean and modes of the albedo of people: principal components with missing values, each shrunk by how repeatable it is. */
export function albedoStatistics(
  observations: readonly AlbedoObservation[],
  template: LearningTemplate,
  vertexArea: ArrayLike<number>,
  count: number,
): AlbedoStatistics {
  const { skinEnd, triangles } = template
  const size = skinEnd * 3
  const people = joinClips(observations, skinEnd)
  const { mean, known } = meanOfPeople(people, template)
  let totalArea = 0
  for (let i = 0; i < skinEnd; i++) totalArea += vertexArea[i]
  const root = Float64Array.from({ length: size }, (_, i) =>
    Math.sqrt(vertexArea[Math.floor(i / 3)] / totalArea),
  )
  // Rows of people; what is not known of one begins at the mean and is then filled by what goes with the rest.
  const belief = people.map(({ trust }) => trust.map((value, i) => (known[i] * value) / (value + HALF_TRUST)))
  const differences = people.map(({ relative }) => relative.map((value, i) => value - mean[i]))
  const filled = differences.map((row, p) => row.map((value, i) => value * belief[p][Math.floor(i / 3)]))
  let found = albedoComponents(filled, people, root)
  for (let round = 0; round < FILL_ROUNDS; round++) {
    const basis = found.fields.slice(0, FILL_RANK)
    filled.forEach((row, p) => {
      const guess = new Float64Array(size)
      for (const field of basis) {
        let score = 0
        for (let i = 0; i < size; i++) score += row[i] * field[i] * root[i] * root[i]
        for (let i = 0; i < size; i++) guess[i] += score * field[i]
      }
      for (let i = 0; i < size; i++) {
        const b = belief[p][Math.floor(i / 3)]
        row[i] = b * differences[p][i] + (1 - b) * guess[i]
      }
    })
    found = albedoComponents(filled, people, root)
  }
  const clipRows = observations.map(({ relative, trust }) =>
    Float64Array.from(relative, (value, i) => {
      const t = trust[Math.floor(i / 3)]
      return ((value - mean[i]) * known[Math.floor(i / 3)] * t) / (t + HALF_TRUST)
    }),
  )
  const ranked = found.fields
    .slice(0, 2 * count)
    .map((field, k) => ({
      field,
      variance: found.variances[k],
      repeatable: repeatability(field, clipRows, observations, root),
    }))
    .sort((a, b) => b.variance * b.repeatable - a.variance * a.repeatable)
    .slice(0, count)
  const modes = ranked.map(({ field, variance, repeatable }) => {
    const mode = field.map((value) => value * Math.sqrt(variance) * shrink(repeatable))
    fillUnseen(mode, known, triangles, skinEnd)
    return mode
  })
  return {
    mean,
    modes,
    ...specularShare(people, filled, ranked, root, template),
    repeatability: ranked.map(({ repeatable }) => repeatable),
    explained: found.explained,
    people: people.length,
    toneDeviation: toneDeviation(observations),
  }
}

/** `[skinEnd * 3]` the mean alone, relative to the skin's median. */
export function meanAlbedo(
  observations: readonly AlbedoObservation[],
  template: LearningTemplate,
): Float64Array {
  return meanOfPeople(joinClips(observations, template.skinEnd), template).mean
}

function toneDeviation(observations: readonly AlbedoObservation[]): [number, number, number] {
  return [0, 1, 2].map((c) => {
    const values = observations.map(({ tone }) => tone[c])
    const mean = values.reduce((a, b) => a + b, 0) / values.length
    return Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / Math.max(values.length - 1, 1))
  }) as [number, number, number]
}
