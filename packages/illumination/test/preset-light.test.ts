import { illuminantColor, lightPresets, presetLight, sphericalHarmonicsAt } from '@facekit/illumination'
import { describe, expect, it } from 'vitest'

/** Irradiance over pi at a normal, of green. */
const green = (harmonics: number[][], [x, y, z]: number[]) =>
  sphericalHarmonicsAt(x, y, z).reduce((sum, value, k) => sum + value * harmonics[k][1], 0)

describe('presetLight', () => {
  it('value: a lamp is a clamped cosine of three bands', () => {
    const [x, y, z] = [0.6, 0, 0.8]
    const { sphericalHarmonics, lightPosition, lightColor } = presetLight({
      lamps: [{ direction: [3, 0, 4], irradiance: 0.5, kelvin: 5000 }],
      sky: [0, 6500],
      ground: [0, 6500],
    })
    const lamp = 0.5 * illuminantColor(5000)[1]
    // A band-limited cosine is 17/16 where the surface faces the lamp, 1/16 where it turns its back.
    expect(green(sphericalHarmonics, [x, y, z])).toBeCloseTo((lamp * 17) / 16, 6)
    expect(green(sphericalHarmonics, [-x, -y, -z])).toBeCloseTo(lamp / 16, 6)
    expect(lightColor[1]).toBeCloseTo(lamp, 6)
    expect(Math.hypot(...lightPosition)).toBeCloseTo(1300, 6)
    expect(lightPosition[0] / lightPosition[2]).toBeCloseTo(0.75, 6)
  })

  it('value: sky and ground are seen from above, from below, and half from the side', () => {
    const lamps = [{ direction: [0, 0, 1], irradiance: 0, kelvin: 6500 }] as const
    const { sphericalHarmonics } = presetLight({ lamps, sky: [0.8, 6504], ground: [0.2, 6504] })
    const at = [0, 1, -1].map((y) => green(sphericalHarmonics, [0, y, y === 0 ? 1 : 0]))
    const expected = [0.5, 0.8, 0.2].map((value) => value * illuminantColor(6504)[1])
    at.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 6))
  })

  it('value: no preset overexposes skin, or leaves it without light', () => {
    for (const preset of Object.values(lightPresets)) {
      const { sphericalHarmonics } = presetLight(preset)
      let brightest = 0
      for (let i = 0; i < 200; i++) {
        const [z, angle] = [1 - i / 200, i * 2.4]
        const r = Math.sqrt(1 - z * z)
        brightest = Math.max(
          brightest,
          green(sphericalHarmonics, [r * Math.cos(angle), r * Math.sin(angle), z]),
        )
      }
      expect(brightest).toBeGreaterThan(0.6)
      expect(brightest).toBeLessThan(1.5)
    }
  })
})
