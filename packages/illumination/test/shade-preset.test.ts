import { describe, expect, it } from 'vitest'
import { lightPresets, presetLamps, shadePreset, type LightPreset } from '@facekit/illumination'

const cameraPosition: [number, number, number] = [0, 0, 1000]
const white: LightPreset = {
  lamps: [{ direction: [0, 0, 2], irradiance: 0.4, kelvin: 6500 }],
  sky: [0.1, 6500],
  ground: [0.1, 6500],
}
const point = (normal: number[], specular = 0) => ({
  diffuse: [0.5, 0.5, 0.5],
  specular: [specular, specular, specular],
  normals: normal,
  positions: [0, 0, 0],
  cameraPosition,
  shininess: 30,
})

describe('shadePreset', () => {
  it('value: a lamp from the front and even surroundings, on a surface without highlights, by hand', () => {
    const [red, green, blue] = shadePreset(white, point([0, 0, 1]))
    const lamps = presetLamps(white)
    // Facing the lamp a wrapped cosine is 1, over 1 + wrap; surroundings reflect by the bias of Karis' fit, at roughness 0.5 and straight view.
    const k = [0.5, 0.0425 - 0.01375, 1.04 - 0.286, 0.011 - 0.04]
    const bend = Math.min(k[0] ** 2, 2 ** -9.28) * k[0] + k[1]
    const bias = 1.04 * bend + k[3]
    const wraps = [0.28, 0.14, 0.09]
    for (const [c, value] of [red, green, blue].entries()) {
      const soft = lamps.skyColor[c] + lamps.lampColors[0][c] / (1 + wraps[c])
      expect(value).toBeCloseTo(0.5 * soft + 0.6 * lamps.skyColor[c] * bias, 5)
    }
  })

  it('value: light goes around the edge of a shadow, red farthest, and not to the back', () => {
    const dark: LightPreset = { ...white, sky: [1e-9, 6500], ground: [1e-9, 6500] }
    const [red, green, blue] = shadePreset(dark, point([1, 0, 0]))
    expect(red).toBeGreaterThan(green)
    expect(green).toBeGreaterThan(blue)
    expect(blue).toBeGreaterThan(0.005)
    for (const value of shadePreset(dark, point([0, 0, -1]))) expect(value).toBeLessThan(1e-6)
  })

  it('value: highlights grow with the specular albedo, lie where the lamp is mirrored, and bend towards white below 1', () => {
    const gloss = (normal: number[]) =>
      shadePreset(white, point(normal, 0.2))[1] - shadePreset(white, point(normal))[1]
    expect(gloss([0, 0, 1])).toBeGreaterThan(3 * gloss([Math.sin(0.6), 0, Math.cos(0.6)]))
    const bright: LightPreset = { ...white, lamps: [{ direction: [0, 0, 1], irradiance: 40, kelvin: 3000 }] }
    const color = shadePreset(bright, point([0, 0, 1]))
    for (const value of color) expect(value).toBeLessThan(1)
    expect(Math.min(...color)).toBeGreaterThan(0.7)
  })

  it('value: every preset lights a face from the front with finite numbers between 0 and 1', () => {
    for (const [name, preset] of Object.entries(lightPresets)) {
      const values = shadePreset(preset, point([0.1, 0.2, Math.sqrt(1 - 0.05)], 0.06))
      expect([name, [...values].every((value) => value > 0.02 && value < 1)]).toEqual([name, true])
    }
  })

  it('throws: lists of different lengths', () => {
    expect(() => shadePreset(white, { ...point([0, 0, 1]), normals: [0, 0, 1, 0, 0, 1] })).toThrow(
      /3, 3, 6, 3/,
    )
  })
})
