import { illuminantColor, nonNegativeLight, sphericalHarmonicsAt } from '@facekit/illumination'

/** A distant lamp. */
interface Lamp {
  /** Towards the lamp; any length. */
  direction: readonly [number, number, number]
  /** Light that it throws on a surface that faces it. */
  irradiance: number
  kelvin: number
}

/** Light that does not come from the photograph. */
export interface LightPreset {
  /** The first lamp makes the highlight. */
  lamps: readonly Lamp[]
  /** Light from above and from below: irradiance and colour temperature. */
  sky: readonly [irradiance: number, kelvin: number]
  ground: readonly [irradiance: number, kelvin: number]
}

const dark = [0.08, 6500] as const

// Bright enough for skin, whose albedo is far below 1.
export const lightPresets = {
  lamp: {
    lamps: [{ direction: [0.25, 0.45, 1], irradiance: 2.0, kelvin: 6500 }],
    sky: [0.2, 6500],
    ground: [0.15, 6500],
  },
  studio: {
    lamps: [
      { direction: [-0.7, 0.5, 0.9], irradiance: 1.5, kelvin: 5500 },
      { direction: [0.9, 0.2, 0.7], irradiance: 0.6, kelvin: 6000 },
      { direction: [0.6, 0.5, -0.8], irradiance: 0.9, kelvin: 6500 },
    ],
    sky: [0.35, 6000],
    ground: [0.2, 5500],
  },
  overcast: {
    lamps: [{ direction: [0, 1, 0.35], irradiance: 0.7, kelvin: 6500 }],
    sky: [1.6, 7000],
    ground: [0.5, 5500],
  },
  sunset: {
    lamps: [{ direction: [1, 0.25, 0.45], irradiance: 2.2, kelvin: 3000 }],
    sky: [0.45, 12_000],
    ground: [0.2, 4500],
  },
  tungsten: {
    lamps: [
      { direction: [-0.5, 0.8, 0.8], irradiance: 1.2, kelvin: 3200 },
      { direction: [0.8, 0.6, 0.5], irradiance: 0.7, kelvin: 3200 },
    ],
    sky: [0.3, 3400],
    ground: [0.2, 3200],
  },
  raking: {
    lamps: [{ direction: [1, 0.3, 0.12], irradiance: 2.4, kelvin: 5500 }],
    sky: dark,
    ground: dark,
  },
} satisfies Record<string, LightPreset>

export type PresetName = keyof typeof lightPresets

/** Shares of the clamped cosine by band, over pi.                      (Ramamoorthi and Hanrahan, SIGGRAPH 2001) */
const COSINE = [1, 2 / 3, 1 / 4]

/** A preset as spherical harmonics in the sense of Eq. 4, `[9, 3]`: irradiance of the lamps, which never is negative. */
export function presetHarmonics({ lamps, sky, ground }: LightPreset): Float64Array {
  const light = new Float64Array(27)
  for (const { direction, irradiance, kelvin } of lamps) {
    const length = Math.hypot(...direction)
    const [x, y, z] = direction.map((value) => value / length)
    const color = illuminantColor(kelvin)
    for (const [i, value] of sphericalHarmonicsAt(x, y, z).entries()) {
      const band = i === 0 ? 0 : i < 4 ? 1 : 2
      // The lobe of three bands is 1.06 high where it faces the lamp.
      for (let c = 0; c < 3; c++) light[3 * i + c] += Math.PI * COSINE[band] * value * irradiance * color[c]
    }
  }
  const [above, below] = [sky, ground].map(([irradiance, kelvin]) =>
    illuminantColor(kelvin).map((value) => value * irradiance),
  )
  for (let c = 0; c < 3; c++) {
    light[c] += (above[c] + below[c]) / 2 / 0.28209479
    light[3 + c] += (above[c] - below[c]) / 2 / 0.48860251
  }
  return nonNegativeLight(light, { ambient: 0.02 })
}
