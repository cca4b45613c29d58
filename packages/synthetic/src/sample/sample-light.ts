import type { Random } from '@facekit/core'
import { sphericalHarmonicsAt } from '@facekit/illumination'
import { whiteLight } from '@facekit/parameters'
import { vector3, type Vector3 } from '../vector.js'
import type { LightOptions } from '../synthesizer-options.js'

/** Light of one picture, as in `Illumination`. */
export interface SampledLight {
  /** `[27]` */
  sphericalHarmonics: Float32Array
  lightPosition: Vector3
  lightColor: number[]
  shininess: number
  /** Share of the frontal light that the first lamp gives, 0..1. */
  keyShare: number
}

/** What a diffuse surface makes of each band: pi, 2 pi / 3, pi / 4. */
const BANDS = [Math.PI, (2 * Math.PI) / 3, Math.PI / 4]
const BAND_OF = [0, 1, 1, 1, 2, 2, 2, 2, 2]
/** Directions in which a face's surface looks, for its brightness. */
const FRONTAL: readonly Vector3[] = [
  [0, 0, 1],
  [0.6, 0, 0.8],
  [-0.6, 0, 0.8],
  [0, 0.5, 0.866],
  [0, -0.4, 0.917],
]

/** Samples light: ambient light, a gradient from above or below, and one to four lamps, each with its colour. The first lamp may come
 * from far to the side; it alone makes the highlights, whichever is the strongest. */
export function sampleLight(random: Random, { exposure, color }: Required<LightOptions>): SampledLight {
  const result = new Float32Array(27)
  const tint = () => sampleTint(random, color)
  const add = (direction: Vector3, intensity: number, rgb: readonly number[]) => {
    sphericalHarmonicsAt(...direction).forEach((value, k) => {
      for (let c = 0; c < 3; c++) result[k * 3 + c] += BANDS[BAND_OF[k]] * value * intensity * rgb[c]
    })
  }
  const ambient = tint()
  const level = random.uniform(0.1, 1.2)
  for (let c = 0; c < 3; c++) result[c] += level * ambient[c] * whiteLight
  // Sky above, or a bright table below.
  const sky = tint()
  const slope = level * random.normal(0.25, 0.3)
  for (let c = 0; c < 3; c++) result[3 + c] += slope * sky[c]
  const lamps = 1 + random.integer(4)
  const hard = random.uniform() < 0.3
  let key: Vector3 = [0, 0, 1]
  let keyColor: readonly number[] = [1, 1, 1]
  let keyLight = 0
  for (let i = 0; i < lamps; i++) {
    const side =
      i === 0 && hard ? random.uniform(0.8, 1.5) * (random.integer(2) * 2 - 1) : random.normal(0, 0.9)
    const height = random.normal(0.45, 0.5)
    const direction: Vector3 = [
      Math.sin(side) * Math.cos(height),
      Math.sin(height),
      Math.cos(side) * Math.cos(height),
    ]
    const rgb = tint()
    const before = i === 0 ? brightness(result) : 0
    add(direction, i === 0 ? random.uniform(0.6, hard ? 3 : 1.6) : random.uniform(0.05, 0.7), rgb)
    if (i === 0) [key, keyColor, keyLight] = [direction, rgb, brightness(result) - before]
  }
  const bright = brightness(result)
  const wanted = Math.exp(random.uniform(Math.log(exposure[0]), Math.log(exposure[1])))
  const gain = wanted / Math.max(0.05, bright)
  for (let k = 0; k < 27; k++) result[k] *= gain
  const distance = random.uniform(600, 2500)
  const specular = wanted * Math.exp(random.normal(-0.2, 0.6))
  return {
    sphericalHarmonics: result,
    lightPosition: vector3((c) => key[c] * distance),
    lightColor: keyColor.map((value) => Math.min(4, value * specular)),
    shininess: Math.exp(random.uniform(Math.log(5), Math.log(60))),
    keyShare: Math.min(1, Math.max(0, keyLight / Math.max(0.05, bright))),
  }
}

/** Shadows of the first lamp: how much of the light they take, and how soft they are, in pixels of its view. Some lamps are so large that they
 * cast none. */
export function sampleShadow(random: Random, keyShare: number): [strength: number, softness: number] {
  const strength = random.uniform() < 0.3 ? 0 : keyShare * random.uniform(0.5, 1.1)
  return [Math.min(0.92, strength), Math.exp(random.uniform(Math.log(1.5), Math.log(14)))]
}

/** What wet surfaces mirror of a lamp: the normal `[2]` where it is seen, sharpness on skin and on eyes, strength on eyes, lips, skin. */
export function sampleWetLook(random: Random, direction: Vector3): number[] {
  const length = Math.hypot(...direction)
  const half = vector3((c) => direction[c] / length + (c === 2 ? 1 : 0))
  const norm = Math.hypot(...half)
  const wet = random.uniform() < 0.35
  const oily = random.uniform() < 0.25
  return [
    half[0] / norm,
    half[1] / norm,
    Math.exp(random.uniform(Math.log(8), Math.log(60))),
    Math.exp(random.uniform(Math.log(250), Math.log(4000))),
    random.uniform(0, 1) ** 2 * 1.5,
    wet ? random.uniform(0.05, 0.5) : random.uniform(0, 0.06),
    oily ? random.uniform(0.02, 0.16) : 0,
  ]
}

/** Warm as a bulb, cold as a sky, or, now and then, any colour; mean 1. */
function sampleTint(random: Random, color: number): number[] {
  const warmth = random.normal(0.05, 0.25) * color
  const green = random.normal(0, 0.08) * color
  const rgb = [1 + warmth, 1 + green, 1 - warmth]
  if (random.uniform() < 0.12) for (let c = 0; c < 3; c++) rgb[c] += random.uniform(-0.9, 0.9) * color
  const mean = (rgb[0] + rgb[1] + rgb[2]) / 3
  return rgb.map((value) => Math.max(0.05, value) / Math.max(0.2, mean))
}

/** Mean light on frontal surfaces. */
function brightness(light: Float32Array): number {
  let sum = 0
  for (const direction of FRONTAL) {
    sphericalHarmonicsAt(...direction).forEach((value, k) => {
      sum += (value * (light[k * 3] + light[k * 3 + 1] + light[k * 3 + 2])) / 3
    })
  }
  return sum / FRONTAL.length
}
