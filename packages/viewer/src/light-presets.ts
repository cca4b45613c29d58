/** A distant lamp. */
interface Lamp {
  /** Towards the lamp; any length. */
  direction: readonly [number, number, number]
  /** Light that it throws on a surface that faces it: 1 makes white paper white. */
  irradiance: number
  kelvin: number
}

/** Light that does not come from the photograph. */
export interface LightPreset {
  label: string
  /** At most three. */
  lamps: readonly Lamp[]
  /** Light from above and from below: irradiance and colour temperature. */
  sky: readonly [irradiance: number, kelvin: number]
  ground: readonly [irradiance: number, kelvin: number]
}

// Bright enough for skin, whose albedo is far below 1.
export const lightPresets = {
  studio: {
    label: 'Studio: three lamps',
    lamps: [
      { direction: [-0.75, 0.6, 0.85], irradiance: 1.4, kelvin: 6300 },
      { direction: [0.9, 0.15, 0.7], irradiance: 0.4, kelvin: 6800 },
      { direction: [0.75, 0.45, -0.7], irradiance: 1.3, kelvin: 7200 },
    ],
    sky: [0.45, 6600],
    ground: [0.2, 6000],
  },
  lamp: {
    label: 'One lamp',
    lamps: [{ direction: [0.25, 0.45, 1], irradiance: 1.9, kelvin: 6500 }],
    sky: [0.24, 6500],
    ground: [0.14, 6500],
  },
  overcast: {
    label: 'Overcast sky',
    lamps: [{ direction: [0, 1, 0.35], irradiance: 0.7, kelvin: 6500 }],
    sky: [1.5, 7000],
    ground: [0.5, 5500],
  },
  sunset: {
    label: 'Low sun, blue sky',
    lamps: [{ direction: [1, 0.25, 0.45], irradiance: 2.2, kelvin: 3000 }],
    sky: [0.5, 12_000],
    ground: [0.22, 4500],
  },
  tungsten: {
    label: 'Lamps in the evening',
    lamps: [
      { direction: [-0.5, 0.8, 0.8], irradiance: 1.2, kelvin: 3200 },
      { direction: [0.8, 0.6, 0.5], irradiance: 0.7, kelvin: 3200 },
    ],
    sky: [0.3, 3400],
    ground: [0.2, 3200],
  },
  raking: {
    label: 'Raking light',
    lamps: [{ direction: [1, 0.3, 0.12], irradiance: 2.4, kelvin: 5500 }],
    sky: [0.09, 6500],
    ground: [0.08, 6500],
  },
} satisfies Record<string, LightPreset>

export type LightPresetName = keyof typeof lightPresets
