import { illuminantColor } from './illuminant-color.js'
import type { LightPreset } from './light-presets.js'
import { sphericalHarmonicsAt } from './spherical-harmonics-at.js'

/** Spherical harmonics and a point light, as plain numbers. */
export interface PlainLight {
  /** `[9][3]` irradiance over pi, linear RGB, in the order (0,0) (1,-1) (1,0) (1,1) (2,-2) ... (2,2). */
  sphericalHarmonics: number[][]
  /** mm, world space. */
  lightPosition: [number, number, number]
  /** Linear RGB. */
  lightColor: [number, number, number]
}

/** How far away the lamp of the highlight is, mm. */
const REACH = 1300

/** A preset as the light of a face: all of it as spherical harmonics (Eq. 4), the first lamp also as the point light of the highlight (Eq. 5).
 *
 * Of a lamp's clamped cosine three bands are kept, with the shares pi, 2 pi / 3 and pi / 4 (Ramamoorthi and Hanrahan, "An Efficient Representation for
 * Irradiance Environment Maps", SIGGRAPH 2001); between sky and ground light changes linearly with the height of the normal.
 *
 * @returns plain numbers
 * @differentiable no
 * @example
 * const { sphericalHarmonics, lightPosition, lightColor } = presetLight(lightPresets.studio)
 */
export function presetLight({ lamps, sky, ground }: LightPreset): PlainLight {
  const { PI, hypot } = Math
  const bands = [PI, (2 * PI) / 3, PI / 4]
  const rows = Array.from({ length: 9 }, (): number[] => [0, 0, 0])
  const color = (irradiance: number, kelvin: number) =>
    illuminantColor(kelvin).map((value) => value * irradiance) as [number, number, number]
  const [above, below] = [color(...sky), color(...ground)]
  // The values of the basis where the normal looks up: of band 0, and of y.
  const [constant, upwards] = sphericalHarmonicsAt(0, 1, 0)
  for (let c = 0; c < 3; c++) {
    rows[0][c] = (above[c] + below[c]) / 2 / constant
    rows[1][c] = (above[c] - below[c]) / 2 / upwards
  }
  for (const { direction, irradiance, kelvin } of lamps) {
    const length = hypot(...direction)
    const [x, y, z] = direction.map((value) => value / length)
    const rgb = color(irradiance, kelvin)
    sphericalHarmonicsAt(x, y, z).forEach((value, k) => {
      const share = value * bands[k === 0 ? 0 : k < 4 ? 1 : 2]
      for (let c = 0; c < 3; c++) rows[k][c] += share * rgb[c]
    })
  }
  const [{ direction, irradiance, kelvin }] = lamps
  const reach = REACH / hypot(...direction)
  return {
    sphericalHarmonics: rows,
    lightPosition: direction.map((value) => value * reach) as [number, number, number],
    lightColor: color(irradiance, kelvin),
  }
}
