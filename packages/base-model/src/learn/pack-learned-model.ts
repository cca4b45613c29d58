import { writeSafetensors, type SafetensorsEntry } from '@facekit/core'
import type { AlbedoStatistics } from './albedo-modes.js'
import type { LearnedLandmarks } from './learn-landmarks.js'
import type { LearningTemplate } from './learning-template.js'
import { packLists, quantizeFields } from '../quantize.js'

/** Painted modes that stay: tone, what comes with age, and what photographs of this size do not show. */
const KEPT_PAINTED_MODES = [
  'melanin',
  'haemoglobin',
  'carotene',
  'oil',
  'browGrey',
  'fold',
  'underEye',
  'irisLight',
  'irisBlue',
  'irisGreen',
  'scleraLight',
  'scleraRed',
  'mouthDark',
] as const

/** The parts that were learned. */
export interface LearnedParts {
  /** `[K][468 * 3]` mm */
  identity: Float64Array[]
  expression: Float64Array[]
  albedo: AlbedoStatistics
  /** Without, the template's stay. */
  landmarks?: LearnedLandmarks
  name: string
  origin: string
  license: string
}

/** Smallest and largest specular albedo. */
const SPECULAR_RANGE = [0.012, 0.075] as const
/** How much of the specular mean is what was seen; the rest is the template's. */
const SEEN_SPECULAR = 0.4

/** Puts learned statistics into the template's file: same mesh, same format. */
export function packLearnedModel(template: LearningTemplate, parts: LearnedParts): Uint8Array<ArrayBuffer> {
  const { file, skinEnd } = template
  const tensors = new Map(file.entries())
  const names = file.names('albedo_names')
  const kept = KEPT_PAINTED_MODES.map((name) => names.indexOf(name)).filter((p) => p >= 0)
  for (const key of ['diffuse_paint', 'diffuse_share', 'specular_paint']) {
    const { data, shape } = file.tensor(key)
    const width = data.length / shape[0]
    const rows = Float32Array.from(
      kept.flatMap((p) => Array.from({ length: width }, (_, i) => data[p * width + i])),
    )
    tensors.set(key, { shape: [kept.length, ...shape.slice(1)], data: rows })
  }
  for (const key of ['diffuse_smooth', 'diffuse_smooth_scale']) tensors.delete(key)

  // Between the learned skin and the lid margins' own vertices nothing is blended: they are other vertices.
  const mean = file.floats('diffuse_mean')
  const tone = skinTone(template, mean)
  for (let i = 0; i < skinEnd * 3; i++) mean[i] = tone[i % 3] * believable(parts.albedo.mean[i])
  const specularMean = file.floats('specular_mean')
  for (let i = 0; i < skinEnd; i++) {
    const seen = Math.min(Math.max(parts.albedo.specularMean[i], 0.4), 2)
    const value = specularMean[i] * (1 - SEEN_SPECULAR + SEEN_SPECULAR * seen)
    specularMean[i] = Math.min(Math.max(value, SPECULAR_RANGE[0]), SPECULAR_RANGE[1])
  }
  tensors.set('diffuse_mean', { shape: [mean.length / 3, 3], data: mean })
  tensors.set('specular_mean', { shape: [specularMean.length, 1], data: specularMean })
  // At three deviations albedo still is one.
  const diffuse = parts.albedo.modes.map((mode) =>
    mode.map((value, i) => {
      const limit = Math.max(Math.min(mean[i] - 0.004, 0.98 - mean[i]), 0) / 3
      return Math.min(Math.max(value * tone[i % 3], -limit), limit)
    }),
  )
  // Highlights are smooth: their modes are kept at the control vertices, the same in red, green and blue.
  const specular = parts.albedo.specular.map((mode) =>
    Float64Array.from({ length: 468 * 3 }, (_, i) => {
      const v = Math.floor(i / 3)
      return specularMean[v] * Math.min(Math.max(mode[v], -0.25), 0.25)
    }),
  )
  const put = (entries: [string, SafetensorsEntry][]) => {
    for (const [key, entry] of entries) tensors.set(key, entry)
  }
  if (parts.landmarks) {
    const { landmarks, jawContours } = parts.landmarks
    put([['landmarks', { shape: [landmarks.length], data: Uint16Array.from(landmarks) }]])
    put(packLists('jaw_contours', jawContours))
  }
  put(quantizeFields('identity', parts.identity, [468, 3], 16))
  put(quantizeFields('expression', parts.expression, [468, 3], 16))
  put(quantizeFields('diffuse_learned', diffuse, [skinEnd, 3], 8))
  put(quantizeFields('specular_learned', specular, [468, 3], 8))
  return writeSafetensors({
    metadata: {
      ...file.metadata(),
      name: parts.name,
      license: parts.license,
      origin: parts.origin,
      albedo_names: JSON.stringify([
        ...kept.map((p) => names[p]),
        ...diffuse.map((_, k) => `appearance${k}`),
      ]),
    },
    tensors,
  })
}

/** A relative albedo within what skin can have: light that was left on foreheads and cheeks is drawn in. */
function believable(relative: number): number {
  return Math.max(relative > 1.1 ? 1.1 + 0.25 * Math.tanh((relative - 1.1) / 0.25) : relative, 0.06)
}

/** Median of the template's albedo over the bare skin, by channel. */
export function skinTone(template: LearningTemplate, mean: ArrayLike<number>): number[] {
  const { file, skinEnd } = template
  const skin = file.lists('regions')[file.names('region_names').indexOf('skin')]
  return [0, 1, 2].map((c) => {
    const values = Array.from(skin)
      .filter((i) => i < skinEnd)
      .map((i) => mean[i * 3 + c])
      .sort((a, b) => a - b)
    return values[values.length >> 1]
  })
}
