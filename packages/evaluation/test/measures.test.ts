import { createRandom } from '@facekit/core'
import {
  chamferDistance,
  correspondenceError,
  cumulativeErrors,
  innerMouthError,
  normalizedMeanError,
  pixelColorError,
  pointToPlane,
  pointToSurface,
  skinTypeOf,
  summarize,
  typologyAngle,
  typologyAngleError,
} from '@facekit/evaluation'
import { applySimilarity3d, normalsOf } from '@facekit/mesh'
import { describe, expect, test } from 'vitest'
import { dot, nearestByForce, norm, sub } from './brute-force.js'
import { motion, moved, relief } from './surfaces.js'

describe('distances from a surface', () => {
  const surface = relief(15, { hole: true })
  const random = createRandom(2)
  const points = Float64Array.from(
    { length: 300 },
    (_, i) => random.uniform(-90, 90) * (i % 3 === 2 ? 0.7 : 1),
  )

  test('value: to the surface and to its planes, as by looking at every triangle', () => {
    const byForce = nearestByForce(points, surface)
    const normals = normalsOf(surface.positions, surface.triangles)
    const [distances, planes] = [pointToSurface(points, surface), pointToPlane(points, surface)]
    byForce.forEach(({ distance, point, triangle }, i) => {
      expect(distances[i]).toBeCloseTo(distance, 9)
      // Weights of the corners by areas, to interpolate the normal.
      const corner = (k: number) => surface.triangles[triangle + k] * 3
      const at = (list: ArrayLike<number>, k: number) =>
        [list[corner(k)], list[corner(k) + 1], list[corner(k) + 2]] as const
      const area = (p: readonly [number, number, number], k: number) => {
        const [u, v] = [
          sub(at(surface.positions, (k + 1) % 3), p),
          sub(at(surface.positions, (k + 2) % 3), p),
        ]
        return norm([u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]])
      }
      const weights = [0, 1, 2].map((k) => area(point, k))
      const sum = [0, 1, 2].map((c) => weights.reduce((s, w, k) => s + w * at(normals, k)[c], 0))
      const normal = sum.map((value) => value / Math.hypot(...sum)) as unknown as [number, number, number]
      const p = [points[i * 3], points[i * 3 + 1], points[i * 3 + 2]] as const
      expect(planes[i]).toBeCloseTo(Math.abs(dot(sub(p, point), normal)), 5)
      expect(planes[i]).toBeLessThanOrEqual(distances[i] + 1e-9)
    })
  })

  test('value: points beyond the rim do not count where that is asked for', () => {
    const beside = [200, 0, 0, 0, 0, 100]
    expect(pointToSurface(beside, surface, { border: false })[0]).toBeNaN()
    expect(pointToSurface(beside, surface, { border: false })[1]).toBeGreaterThan(0)
    expect(pointToSurface(beside, surface)[0]).toBeGreaterThan(100)
  })

  test('value: Chamfer distance, by hand and symmetric', () => {
    const square = (z: number, size: number) => ({
      positions: [0, 0, z, size, 0, z, 0, size, z, size, size, z],
      triangles: Int32Array.of(0, 1, 2, 2, 1, 3),
    })
    const { distance, aToB, bToA } = chamferDistance(square(0, 1), square(3, 5))
    expect(aToB).toBeCloseTo(3, 12)
    // Corners of the large one: above a corner, 4 beside one (5), twice, and 4 beside both (sqrt(41)).
    expect(bToA).toBeCloseTo((3 + 5 + 5 + Math.sqrt(41)) / 4, 12)
    expect(distance).toBeCloseTo((aToB + bToA) / 2, 12)
    expect(chamferDistance(square(3, 5), square(0, 1)).distance).toBeCloseTo(distance, 12)
  })
})

describe('correspondence', () => {
  const face = relief(11)

  test('value: nothing after a similarity, and what is left after another', () => {
    const prediction = moved(face, motion([0.3, 0.2, 0.1], 0.01, [4, 5, 6]))
    expect(summarize(correspondenceError(prediction.positions, face.positions)).most).toBeLessThan(1e-9)
    const shifted = applySimilarity3d(motion([0, 0, 0], 1, [0, 3, 4]), face.positions)
    const similarity = motion([0, 0, 0], 1, [0, 0, 0])
    expect(summarize(correspondenceError(shifted, face.positions, { similarity })).mean).toBeCloseTo(5, 12)
  })

  test('value: sees what nearest points do not: a surface that slides along itself', () => {
    const flat = relief(21, { bumps: 0 })
    const slid = Float64Array.from(flat.positions, (value, i) =>
      i % 3 === 1 ? value + 6 * Math.sin((flat.positions[i - 1] ?? 0) / 9) : value,
    )
    const errors = correspondenceError(slid, flat.positions)
    const nearest = pointToSurface(slid, flat)
    expect(summarize(errors).mean).toBeGreaterThan(1.5 * summarize(nearest).mean)
  })

  test('throws: another topology', () => {
    expect(() => correspondenceError(new Float64Array(9), new Float64Array(12))).toThrow('one topology')
  })

  test('value: the inner mouth, when the mouth alone is off', () => {
    const random = createRandom(8)
    const truth = Float64Array.from({ length: 204 }, () => random.normal(0, 30))
    const prediction = truth.slice()
    for (let i = 60; i < 68; i++) prediction[i * 3 + 1] -= 4
    // The similarity takes a share of it onto the rest of the face.
    const error = innerMouthError(prediction, truth)
    expect(error).toBeGreaterThan(3)
    expect(error).toBeLessThan(4)
    expect(
      innerMouthError(applySimilarity3d(motion([1, 0.5, 0.2], 3, [1, 2, 3]), truth), truth),
    ).toBeLessThan(1e-9)
    expect(() => innerMouthError(truth.subarray(3), truth)).toThrow('expected 68')
  })
})

describe('normalizedMeanError', () => {
  // A face 80 wide and 100 high, eyes 20 long.
  const truth = new Float64Array(136)
  for (let i = 0; i < 68; i++) truth.set([40 + (i % 7), 50 + (i % 5)], i * 2)
  truth.set([0, 0], 0)
  truth.set([80, 100], 2)
  for (let k = 0; k < 6; k++) {
    truth.set([10 + 4 * k, 30], (36 + k) * 2)
    truth.set([50 + 4 * k, 30], (42 + k) * 2)
  }
  truth.set([70, 30], 45 * 2)
  const found = truth.map((value, i) => value + (i % 2 === 0 ? 3 : 4))

  test('value: the four normalisations, by hand', () => {
    expect(normalizedMeanError(found, truth)).toBeCloseTo(5 / Math.sqrt(8000), 12)
    expect(normalizedMeanError(found, truth, 'diagonal')).toBeCloseTo(5 / Math.hypot(80, 100), 12)
    expect(normalizedMeanError(found, truth, 'interocular')).toBeCloseTo(5 / 60, 12)
    // The middle of the right eye is at 20; of the left, whose corner was moved from 62 to 70, at 60 + 8 / 6.
    expect(normalizedMeanError(found, truth, 'interpupil')).toBeCloseTo(5 / (40 + 8 / 6), 12)
  })

  test('throws: other counts, and faces without a size', () => {
    expect(() => normalizedMeanError(found.subarray(2), truth)).toThrow('expected 68')
    expect(() => normalizedMeanError(found, new Float64Array(136), 'interocular')).toThrow('size is 0')
  })
})

describe('colour', () => {
  test('value: mean and deviation over the pixels of all masks', () => {
    const picture = [0.5, 0.5, 0.5, 1, 1, 1, 0, 0, 0]
    const rendered = [0.6, 0.5, 0.2, 0.9, 1, 1, 1, 1, 1]
    const { mean, deviation, pixels } = pixelColorError(picture, rendered, [1, 1, 0], [1, 0.7, 1])
    const differences = [0.1, 0, 0.3, 0.1, 0, 0]
    expect(pixels).toBe(2)
    expect(mean).toBeCloseTo(0.5 / 6, 12)
    expect(deviation).toBeCloseTo(summarize(differences).deviation, 12)
    expect(() => pixelColorError(picture, rendered, [0, 0, 0])).toThrow('no pixel')
    expect(() => pixelColorError(picture, rendered, [0, 0])).toThrow('expected [P * 3]')
  })

  test('value: individual typology angles of colours of known L*a*b*', () => {
    // Red has L* 53.24 and b* 67.20, yellow 97.14 and 94.48.
    const [red, yellow] = [
      [1, 0, 0],
      [1, 1, 0],
    ]
    const angle = (lightness: number, b: number) => (Math.atan2(lightness - 50, b) * 180) / Math.PI
    expect(typologyAngle(red)).toBeCloseTo(angle(53.2408, 67.2032), 1)
    expect(typologyAngle(yellow)).toBeCloseTo(angle(97.1393, 94.478), 1)
    expect([60, 45, 30, 20, 0, -40].map(skinTypeOf)).toEqual([
      'very light',
      'light',
      'intermediate',
      'tan',
      'brown',
      'dark',
    ])
    const [error] = typologyAngleError(yellow, red)
    expect(error).toBeCloseTo(angle(97.1393, 94.478) - angle(53.2408, 67.2032), 1)
  })
})

describe('statistics', () => {
  test('value: summaries leave out what does not count', () => {
    expect(summarize([4, Number.NaN, 1, 3, 2])).toEqual({
      count: 4,
      mean: 2.5,
      deviation: Math.sqrt(1.25),
      median: 2.5,
      p90: 3.7,
      most: 4,
    })
    expect(() => summarize([Number.NaN])).toThrow('no number')
  })

  test('value: a cumulative curve, its area, and failures that never are reached', () => {
    const { errors, shares, area } = cumulativeErrors([1, 2, 3, Number.NaN], 4, { steps: 4 })
    expect([...errors]).toEqual([0, 1, 2, 3, 4])
    expect([...shares]).toEqual([0, 0.25, 0.5, 0.75, 0.75])
    expect(area).toBeCloseTo((0.75 + 0.5 + 0.25) / 4, 12)
    const weighted = cumulativeErrors([1, 3], 4, { steps: 4, weights: [3, 1] })
    expect([...weighted.shares]).toEqual([0, 0.75, 0.75, 1, 1])
  })
})
