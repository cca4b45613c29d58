import { mirrored, type AlignedFace } from './align-faces.js'
import { CONTROL_COUNT, type LearningTemplate } from './learning-template.js'

/** A field and its weight in a covariance: the sum of weight * field * field^T. */
export interface WeightedField {
  field: Float64Array
  weight: number
}

/** How people differ. */
export interface IdentityStatistics {
  /** Fields of the between-person covariance; those with negative weight take off what photographs of one person differ by. */
  fields: WeightedField[]
  /** `[468 * 3]` mm: mean over the people. */
  mean: Float64Array
  people: number
}

/** The network's depth is damped: its deviations are about a half to a third of those of scans. */
const DEPTH_GAIN = 2

/** Trust in a photograph for the shape at rest: frontal, closed mouth, fine enough. */
export function identityTrust({ yaw, pitch, mouthOpening, resolution }: AlignedFace): number {
  const turn = Math.exp(-((yaw / 0.4) ** 2) - ((pitch + 0.07) / 0.35) ** 2)
  const mouth = Math.exp(-((Math.max(mouthOpening - 2, 0) / 3) ** 2))
  return turn * mouth * Math.min(1, resolution / 45) ** 2 + 1e-4
}

/** Symmetric part of a field. */
export function symmetricPart(field: ArrayLike<number>, mirror: ArrayLike<number>): Float64Array {
  const image = mirrored(field, mirror)
  return image.map((value, i) => (value + field[i]) / 2)
}

/** Covariance between people: that of their means, less the part that different photographs of one person explain. */
export function identityStatistics(
  faces: readonly AlignedFace[],
  template: LearningTemplate,
  options: { stretch: number; corrected?: boolean },
): IdentityStatistics {
  const size = CONTROL_COUNT * 3
  const people = new Map<number, Map<string, AlignedFace[]>>()
  for (const face of faces) {
    const clips = people.get(face.person) ?? new Map<string, AlignedFace[]>()
    people.set(face.person, clips.set(face.clip, [...(clips.get(face.clip) ?? []), face]))
  }
  const means: { mean: Float64Array; clips: { mean: Float64Array; trust: number }[]; trust: number }[] = []
  for (const clips of people.values()) {
    const parts = [...clips.values()].map((group) => {
      const mean = new Float64Array(size)
      let trust = 0
      for (const face of group) {
        const weight = identityTrust(face)
        trust += weight
        for (let i = 0; i < size; i++) mean[i] += weight * face.deviation[i]
      }
      const field = symmetricPart(
        mean.map((value) => value / trust),
        template.controlMirror,
      )
      // Frames of a clip are alike: together they say little more than the best one.
      return { mean: field, trust: trust / group.length }
    })
    const trust = parts.reduce((sum, part) => sum + part.trust, 0)
    const mean = new Float64Array(size)
    for (const part of parts) for (let i = 0; i < size; i++) mean[i] += (part.trust / trust) * part.mean[i]
    means.push({ mean, clips: parts, trust: trust / (trust + 0.5) })
  }
  const total = means.reduce((sum, { trust }) => sum + trust, 0)
  const center = new Float64Array(size)
  for (const { mean, trust } of means) for (let i = 0; i < size; i++) center[i] += (trust / total) * mean[i]
  const shape = fieldShaper(template, options.stretch)
  const fields = means.map(({ mean, trust }) => ({
    field: shape(mean.map((value, i) => value - center[i])),
    weight: trust / total,
  }))
  if (options.corrected ?? true) {
    for (const { mean, clips, trust } of means) {
      if (clips.length < 2) continue
      const sum = clips.reduce((s, clip) => s + clip.trust, 0)
      for (const clip of clips) {
        const share = clip.trust / sum
        // Variance of a mean of clips whose scatter around it is known.
        const weight = (share * share) / (1 - share + 1e-6)
        fields.push({
          field: shape(clip.mean.map((value, i) => value - mean[i])),
          weight: (-trust / total) * Math.min(weight, 1),
        })
      }
    }
  }
  return { fields, mean: center, people: means.length }
}

/** Strengthens depth, and damps the stretch of height against width, which cameras and videos cause. */
function fieldShaper(
  { control, controlArea }: LearningTemplate,
  stretch: number,
): (field: Float64Array) => Float64Array {
  const middle = [0, 1, 2].map((c) => controlArea.reduce((sum, a, i) => sum + a * control[i * 3 + c], 0))
  // Height grows, width shrinks: what is left of a stretch after the best similarity.
  const direction = new Float64Array(control.length)
  let xx = 0
  let yy = 0
  controlArea.forEach((a, i) => {
    xx += a * (control[i * 3] - middle[0]) ** 2
    yy += a * (control[i * 3 + 1] - middle[1]) ** 2
  })
  for (let i = 0; i < CONTROL_COUNT; i++) {
    direction[i * 3] = -yy * (control[i * 3] - middle[0])
    direction[i * 3 + 1] = xx * (control[i * 3 + 1] - middle[1])
  }
  let norm = 0
  direction.forEach((value, i) => (norm += controlArea[Math.floor(i / 3)] * value * value))
  return (field) => {
    let amount = 0
    for (let i = 0; i < field.length; i++) amount += controlArea[Math.floor(i / 3)] * field[i] * direction[i]
    const change = ((1 - stretch) * amount) / norm
    return field.map((value, i) => (value - change * direction[i]) * (i % 3 === 2 ? DEPTH_GAIN : 1))
  }
}
