import { smoothField, type AlbedoObservation } from './albedo-observations.js'
import type { LearningTemplate } from './learning-template.js'

/** Albedo of one person, all clips together. */
export interface PersonAlbedo {
  relative: Float64Array
  trust: Float64Array
  excess: Float64Array
  weight: number
}

/** Joins the clips of each person. */
export function joinClips(observations: readonly AlbedoObservation[], skinEnd: number): PersonAlbedo[] {
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

/** The mean of people, and how well each vertex is known, 0..1. */
export function meanOfPeople(people: readonly PersonAlbedo[], { skinEnd, triangles }: LearningTemplate) {
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

/** What is hardly ever seen takes the values of its neighbours. */
export function fillUnseen(
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
