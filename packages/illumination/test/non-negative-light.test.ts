import { createRandom, ShapeError, ValueError } from '@facekit/core'
import { nonNegativeLight, sphericalHarmonicsAt } from '@facekit/illumination'
import { describe, expect, it } from 'vitest'

/** Other directions than those that the function looks at. */
function directions(count: number) {
  const random = createRandom(3)
  return Array.from({ length: count }, () => {
    const v = [random.normal(), random.normal(), random.normal()]
    const length = Math.hypot(...v)
    return v.map((value) => value / length) as [number, number, number]
  })
}

const irradiance = (light: ArrayLike<number>, [x, y, z]: [number, number, number], channel: number) =>
  sphericalHarmonicsAt(x, y, z).reduce((sum, value, i) => sum + value * light[3 * i + channel], 0)

describe('nonNegativeLight', () => {
  const sphere = directions(3000)

  it('value: no normal gets negative light, whatever is given', () => {
    const random = createRandom(7)
    for (let trial = 0; trial < 40; trial++) {
      const given = Float64Array.from({ length: 27 }, (_, i) => (i < 3 ? 2.5 : 1.2 * random.normal()))
      const light = nonNegativeLight(given)
      const seen = sphere.filter(([, , z]) => z > 0.1)
      for (let c = 0; c < 3; c++) {
        const values = sphere.map((d) => irradiance(light, d, c))
        const brightest = Math.max(...seen.map((d) => irradiance(given, d, c)))
        expect(Math.min(...values)).toBeGreaterThan(0)
        expect(Math.max(...values)).toBeLessThan(1.6 * brightest)
      }
    }
  })

  it('value: light that is possible stays as it is', () => {
    const light = Float64Array.from({ length: 27 }, (_, i) => (i < 3 ? 3 : i < 12 ? 0.3 : 0.05))
    expect(nonNegativeLight(light)).toEqual(light)
  })

  it('value: what the camera sees keeps its light, where only the other half was impossible', () => {
    // A linear gradient from front to back, below zero for z < -0.2.
    const light = new Float64Array(27)
    for (let c = 0; c < 3; c++) {
      light[c] = 0.2 / 0.28209479
      light[6 + c] = 1 / 0.48860251
    }
    const possible = nonNegativeLight(light)
    for (const d of sphere.filter(([, , z]) => z > 0.3)) {
      const [before, after] = [irradiance(light, d, 1), irradiance(possible, d, 1)]
      expect(Math.abs(after - before)).toBeLessThan(0.08 * 1.2)
    }
  })

  it('value: a black seen half stays black', () => {
    const light = new Float64Array(27).fill(-1, 0, 3)
    expect(nonNegativeLight(light)).toEqual(new Float64Array(27))
  })

  it('throws: other than 27 finite numbers', () => {
    expect(() => nonNegativeLight([1, 2])).toThrow(ShapeError)
    expect(() => nonNegativeLight(new Float64Array(27).fill(Number.NaN))).toThrow(ValueError)
    expect(() => nonNegativeLight(new Float64Array(27), { ambient: 2 })).toThrow(ValueError)
  })
})
