import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import { smoothField, type AlbedoObservation } from './albedo-observations.js'
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

/** Factor of a mode's deviation: what does not come back is camera and light for a good part, but not all of it; a model
 * that has to explain photographs needs some of that too. */
const shrink = (repeatable: number) => repeatable ** 0.25

interface PersonAlbedo {
  relative: Float64Array
  trust: Float64Array
  excess: Float64Array
  weight: number
}

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
  const { mean, known } = meanOf(people, template)
  let totalArea = 0
  for (let i = 0; i < skinEnd; i++) totalArea += vertexArea[i]
  const root = Float64Array.from({ length: size }, (_, i) =>
    Math.sqrt(vertexArea[Math.floor(i / 3)] / totalArea),
  )
  // Rows of people; what is not known of one begins at the mean and is then filled by what goes with the rest.
  const belief = people.map(({ trust }) => trust.map((value, i) => (known[i] * value) / (value + HALF_TRUST)))
  const differences = people.map(({ relative }) => relative.map((value, i) => value - mean[i]))
  const filled = differences.map((row, p) => row.map((value, i) => value * belief[p][Math.floor(i / 3)]))
  let found = components(filled, people, root)
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
    found = components(filled, people, root)
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
  return meanOf(joinClips(observations, template.skinEnd), template).mean
}

/** The mean of people, and how well each vertex is known, 0..1. */
function meanOf(people: readonly PersonAlbedo[], { skinEnd, triangles }: LearningTemplate) {
  const mean = new Float64Array(skinEnd * 3)
  const seen = new Float64Array(skinEnd)
  for (const { relative, trust, weight } of people) {
    for (let i = 0; i < skinEnd; i++) {
      const w = weight * trust[i]
      seen[i] += w
      for (let c = 0; c < 3; c++) mean[i * 3 + c] += w * relative[i * 3 + c]
    }
  }
  const most = seen.reduce((a, b) => Math.max(a, b), 0) || 1
  for (let i = 0; i < mean.length; i++) {
    const v = Math.floor(i / 3)
    mean[i] = seen[v] > 0 ? mean[i] / seen[v] : 1
  }
  const known = seen.map((value) => Math.min(1, value / (0.06 * most)))
  fillUnseen(mean, known, triangles, skinEnd)
  return { mean, known }
}

function joinClips(observations: readonly AlbedoObservation[], skinEnd: number): PersonAlbedo[] {
  const groups = new Map<number, AlbedoObservation[]>()
  for (const o of observations) groups.set(o.person, [...(groups.get(o.person) ?? []), o])
  const weights = observations.map(({ weight }) => weight).sort((a, b) => a - b)
  const half = weights[weights.length >> 1] || 1
  return [...groups.values()].map((clips) => {
    const relative = new Float64Array(skinEnd * 3)
    const trust = new Float64Array(skinEnd)
    const excess = new Float64Array(skinEnd)
    const total = clips.reduce((sum, { weight }) => sum + weight, 0)
    for (const clip of clips) {
      for (let i = 0; i < skinEnd; i++) {
        const w = (clip.weight / total) * clip.trust[i]
        trust[i] += w
        excess[i] += (clip.weight / total) * clip.excess[i]
        for (let c = 0; c < 3; c++) relative[i * 3 + c] += w * clip.relative[i * 3 + c]
      }
    }
    for (let i = 0; i < relative.length; i++) {
      const t = trust[Math.floor(i / 3)]
      relative[i] = t > 0 ? relative[i] / t : 1
    }
    return { relative, trust, excess, weight: total / (total + half) }
  })
}

/** What is hardly ever seen takes the values of its neighbours. */
function fillUnseen(
  field: Float64Array,
  known: Float64Array,
  triangles: ArrayLike<number>,
  skinEnd: number,
): void {
  if (known.every((value) => value >= 1)) return
  let smooth: Float64Array = field.map((value, i) => value * known[Math.floor(i / 3)])
  let cover: Float64Array = known.slice()
  for (let round = 0; round < 30; round++) {
    smooth = smoothField(smooth, 3, triangles, skinEnd)
    cover = smoothField(cover, 1, triangles, skinEnd)
    const filled = smooth.map((value, i) => value / Math.max(cover[Math.floor(i / 3)], 1e-6))
    for (let v = 0; v < skinEnd; v++) {
      // Where nothing has arrived yet, nothing is passed on.
      const arrived = cover[v] > 1e-6
      for (let i = v * 3; i < v * 3 + 3; i++) {
        smooth[i] = arrived ? known[v] * field[i] + (1 - known[v]) * filled[i] : 0
      }
      cover[v] = arrived ? 1 : 0
    }
  }
  field.set(smooth)
}

/** Principal components of weighted rows by the matrix of their products: fields of unit length under `root`. */
function components(rows: readonly Float64Array[], people: readonly PersonAlbedo[], root: Float64Array) {
  const total = people.reduce((sum, { weight }) => sum + weight, 0)
  const scaled = rows.map((row, p) => {
    const weight = Math.sqrt(people[p].weight / total)
    return row.map((value, i) => value * root[i] * weight)
  })
  const products = Matrix.zeros(rows.length, rows.length)
  for (let a = 0; a < rows.length; a++) {
    for (let b = 0; b <= a; b++) {
      const value = dot(scaled[a], scaled[b])
      products.set(a, b, value)
      products.set(b, a, value)
    }
  }
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(products, {
    assumeSymmetric: true,
  })
  const order = realEigenvalues.map((_, k) => k).sort((a, b) => realEigenvalues[b] - realEigenvalues[a])
  const sum = realEigenvalues.reduce((s, value) => s + Math.max(value, 0), 0)
  const kept = order.filter((k) => realEigenvalues[k] > 1e-9 * sum).slice(0, 100)
  let running = 0
  const explained = kept.map((k) => (running += realEigenvalues[k]) / sum)
  const fields = kept.map((k) => {
    const field = new Float64Array(root.length)
    const length = Math.sqrt(realEigenvalues[k])
    scaled.forEach((row, p) => {
      const amount = eigenvectorMatrix.get(p, k) / length
      for (let i = 0; i < field.length; i++) field[i] += amount * row[i]
    })
    for (let i = 0; i < field.length; i++) field[i] /= root[i] || 1
    // An eigenvector's sign is arbitrary: let the brighter side be positive.
    const sign = field.reduce((s, value, i) => s + value * root[i] ** 2, 0) < 0 ? -1 : 1
    return field.map((value) => sign * value)
  })
  return { fields, variances: kept.map((k) => realEigenvalues[k]), explained }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

/** Correlation within people: 1 minus the variance between clips of one person in parts of that between all clips. */
function repeatability(
  field: Float64Array,
  rows: readonly Float64Array[],
  observations: readonly AlbedoObservation[],
  root: Float64Array,
): number {
  const weighted = field.map((value, i) => value * root[i] * root[i])
  const scores = rows.map((row) => dot(row, weighted))
  const groups = new Map<number, number[]>()
  observations.forEach(({ person }, o) => groups.set(person, [...(groups.get(person) ?? []), scores[o]]))
  const mean = scores.reduce((a, b) => a + b, 0) / scores.length
  const total = scores.reduce((sum, s) => sum + (s - mean) ** 2, 0) / Math.max(scores.length - 1, 1)
  let [within, freedom] = [0, 0]
  for (const group of groups.values()) {
    const center = group.reduce((a, b) => a + b, 0) / group.length
    for (const s of group) within += (s - center) ** 2
    freedom += group.length - 1
  }
  if (freedom === 0 || total === 0) return 0.5
  return Math.min(1, Math.max(0.05, 1 - within / freedom / total))
}

/** Where highlights are seen, on average and with each mode. */
function specularShare(
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

function toneDeviation(observations: readonly AlbedoObservation[]): [number, number, number] {
  return [0, 1, 2].map((c) => {
    const values = observations.map(({ tone }) => tone[c])
    const mean = values.reduce((a, b) => a + b, 0) / values.length
    return Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / Math.max(values.length - 1, 1))
  }) as [number, number, number]
}
