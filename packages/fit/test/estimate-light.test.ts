import { createRandom } from '@facekit/core'
import { expect, it } from 'vitest'
import { estimateLight, type ShadedPoints } from '../src/estimate-light.js'
import { Adam } from '../src/adam.js'

const CONSTANTS = [0.282095, 0.488603, 0.488603, 0.488603, 1.092548, 1.092548, 0.315392, 1.092548, 0.546274]

/** Spherical harmonics of a normal, written out. */
function harmonics([x, y, z]: number[]): number[] {
  return [1, y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y].map((v, i) => v * CONSTANTS[i])
}

/** A hemisphere of points with a brown albedo whose one mode makes it darker or lighter. */
function scene(light: number[][], tone: number, outliers = 0): ShadedPoints {
  const random = createRandom(3)
  const count = 800
  const mean = [0.4, 0.25, 0.18]
  const points: ShadedPoints = {
    count,
    colors: new Float32Array(count * 3),
    harmonics: new Float32Array(count * 9),
    albedoMean: new Float32Array(count * 3),
    albedoModes: [new Float32Array(count * 3)],
    weights: new Float32Array(count).fill(1),
  }
  for (let p = 0; p < count; p++) {
    const normal = [random.normal(), random.normal(), Math.abs(random.normal())]
    const length = Math.hypot(...normal)
    const basis = harmonics(normal.map((value) => value / length))
    points.harmonics.set(basis, 9 * p)
    for (let c = 0; c < 3; c++) {
      const mode = [0.08, 0.06, 0.05][c] * (1 + 0.3 * Math.sin(p))
      points.albedoMean[3 * p + c] = mean[c]
      points.albedoModes[0][3 * p + c] = mode
      const shading = basis.reduce((sum, value, b) => sum + value * light[b][c], 0)
      points.colors[3 * p + c] = p < outliers ? 1 : shading * (mean[c] + tone * mode)
    }
  }
  return points
}

const white = (...values: number[]) =>
  Array.from({ length: 9 }, (_, b) => [1, 1, 1].map((one) => one * (values[b] ?? 0)))

it('value: finds light from the side and explains the picture', () => {
  const light = white(3.5, 0.2, 0.5, 1)
  const points = scene(light, 1)
  const { sphericalHarmonics, albedo } = estimateLight(points)
  let worst = 0
  for (let p = 0; p < points.count; p++) {
    for (let c = 0; c < 3; c++) {
      let shading = 0
      for (let b = 0; b < 9; b++) shading += sphericalHarmonics[3 * b + c] * points.harmonics[9 * p + b]
      const color = shading * (points.albedoMean[3 * p + c] + albedo[0] * points.albedoModes[0][3 * p + c])
      worst = Math.max(worst, Math.abs(color - points.colors[3 * p + c]))
    }
  }
  expect(worst).toBeLessThan(0.06)
  expect(sphericalHarmonics[3 * 3]).toBeGreaterThan(0.5)
})

it('value: points that are no skin hardly change the light', () => {
  const light = white(3.5, 0, 0.6)
  const clean = estimateLight(scene(light, 0)).sphericalHarmonics
  const dirty = estimateLight(scene(light, 0, 80)).sphericalHarmonics
  expect(Math.abs(clean[0] - dirty[0]) / clean[0]).toBeLessThan(0.1)
})

it('value: Adam finds the minimum of a badly scaled bowl', () => {
  const adam = new Adam(2)
  const values = Float64Array.of(5, -300)
  for (let i = 0; i < 2000; i++)
    adam.update(values, [2 * values[0], 2e-4 * values[1]], [0.02, 2], 1 - i / 2000)
  expect(Math.abs(values[0])).toBeLessThan(1e-2)
  expect(Math.abs(values[1])).toBeLessThan(1)
})
