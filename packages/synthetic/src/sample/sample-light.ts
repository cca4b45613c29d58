import type { Random } from '@facekit/core'
import { sphericalHarmonicsAt } from '@facekit/illumination'
import { whiteLight } from '@facekit/parameters'
import type { Vector3 } from '../vector.js'
import type { LightOptions } from '../synthesizer-options.js'

/** Light of one picture, as in `Illumination`. */
export interface SampledLight {
  /** `[27]` */
  sphericalHarmonics: Float32Array
  lightPosition: number[]
  lightColor: number[]
  shininess: number
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
    add(direction, i === 0 ? random.uniform(0.6, hard ? 3 : 1.6) : random.uniform(0.05, 0.7), rgb)
    if (i === 0) [key, keyColor] = [direction, rgb]
  }
  const bright = brightness(result)
  const wanted = Math.exp(random.uniform(Math.log(exposure[0]), Math.log(exposure[1])))
  const gain = wanted / Math.max(0.05, bright)
  for (let k = 0; k < 27; k++) result[k] *= gain
  const distance = random.uniform(600, 2500)
  const specular = wanted * Math.exp(random.normal(-0.2, 0.6))
  return {
    sphericalHarmonics: result,
    lightPosition: key.map((value) => value * distance),
    lightColor: keyColor.map((value) => Math.min(4, value * specular)),
    shininess: Math.exp(random.uniform(Math.log(5), Math.log(60))),
  }
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
