/** A distant lamp. */
export interface Lamp {
  /** Towards the lamp; any length. */
  direction: readonly [number, number, number]
  /** Irradiance over pi of a surface that faces it, in luminance: 1 makes white paper white. */
  irradiance: number
  /** Correlated colour temperature. */
  kelvin: number
}

/** Light that does not come from a photograph: lamps, the first of which makes the highlight where there can be one only, and a sky over a ground. */
export interface LightPreset {
  /** At most three. */
  lamps: readonly Lamp[]
  /** Light from above and from below: irradiance over pi, in luminance, and colour temperature. */
  sky: readonly [irradiance: number, kelvin: number]
  ground: readonly [irradiance: number, kelvin: number]
}

/** Lights by name, about as bright as those of photographs. */
export const lightPresets = {
  studio: {
    lamps: [
      { direction: [-0.75, 0.6, 0.85], irradiance: 0.78, kelvin: 6300 },
      { direction: [0.9, 0.15, 0.7], irradiance: 0.22, kelvin: 6800 },
      { direction: [0.75, 0.45, -0.7], irradiance: 0.6, kelvin: 7200 },
    ],
    sky: [0.3, 6600],
    ground: [0.2, 6000],
  },
  daylight: {
    lamps: [{ direction: [0.1, 1, 0.6], irradiance: 0.42, kelvin: 6400 }],
    sky: [0.78, 7200],
    ground: [0.46, 5800],
  },
  window: {
    lamps: [{ direction: [-1, 0.25, 0.45], irradiance: 0.97, kelvin: 6800 }],
    sky: [0.16, 7000],
    ground: [0.13, 6200],
  },
  sunset: {
    lamps: [
      { direction: [1, 0.2, 0.5], irradiance: 0.72, kelvin: 3200 },
      { direction: [-1, 0.3, 0.1], irradiance: 0.14, kelvin: 12_000 },
    ],
    sky: [0.26, 10_000],
    ground: [0.16, 4800],
  },
  evening: {
    lamps: [
      { direction: [-0.35, 0.75, 1], irradiance: 0.55, kelvin: 3200 },
      { direction: [0.8, 0.6, 0.5], irradiance: 0.2, kelvin: 3200 },
    ],
    sky: [0.14, 3400],
    ground: [0.11, 3200],
  },
  side: {
    lamps: [{ direction: [1, 0.1, 0.12], irradiance: 1.1, kelvin: 6000 }],
    sky: [0.055, 6500],
    ground: [0.045, 6500],
  },
} satisfies Record<string, LightPreset>

export type LightPresetName = keyof typeof lightPresets
