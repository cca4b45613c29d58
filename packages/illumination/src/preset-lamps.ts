import { illuminantColor } from './illuminant-color.js'
import type { LightPreset } from './light-presets.js'

/** A preset as numbers for `lightShader`. */
export interface PresetLamps {
  /** `[3][3]` unit vectors towards the lamps, and their irradiance over pi, linear RGB; of those that are missing (0, 0, 1) and 0. */
  lampDirections: [number, number, number][]
  lampColors: [number, number, number][]
  /** Irradiance over pi from above and from below, linear RGB. */
  skyColor: [number, number, number]
  groundColor: [number, number, number]
}

/** The lamps and surroundings of a preset as the numbers that `lightShader` takes.
 *
 * @returns plain numbers
 * @differentiable no
 * @example
 * const { lampDirections, lampColors, skyColor, groundColor } = presetLamps(lightPresets.studio)
 */
export function presetLamps({ lamps, sky, ground }: LightPreset): PresetLamps {
  const color = (irradiance: number, kelvin: number) =>
    illuminantColor(kelvin).map((value) => value * irradiance) as [number, number, number]
  const all = [0, 1, 2].map((i) => lamps[i])
  return {
    lampDirections: all.map((lamp) => {
      const direction = lamp?.direction ?? [0, 0, 1]
      const length = Math.hypot(...direction)
      return direction.map((value) => value / length) as [number, number, number]
    }),
    lampColors: all.map((lamp) => (lamp ? color(lamp.irradiance, lamp.kelvin) : [0, 0, 0])),
    skyColor: color(...sky),
    groundColor: color(...ground),
  }
}
