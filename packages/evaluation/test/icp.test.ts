import { createRandom } from '@facekit/core'
import { alignIcp, alignLandmarks, invertSimilarity, composeSimilarities } from '@facekit/evaluation'
import { applySimilarity3d, rotationAngle } from '@facekit/mesh'
import { describe, expect, test } from 'vitest'
import { motion, moved, relief, sevenOf } from './surfaces.js'

const face = relief(31)
const placed = motion([0.1, -0.15, 0.08], 1.06, [7, -4, 5])

/** How far two similarities move the points of the face apart. */
function difference(a: Parameters<typeof applySimilarity3d>[0], b: typeof a): number {
  const [p, q] = [a, b].map((similarity) => applySimilarity3d(similarity, face.positions))
  return p.reduce((most, value, i) => Math.max(most, Math.abs(value - q[i])), 0)
}

describe('alignLandmarks', () => {
  test('value: a similarity of points is found, and its inverse undoes it', () => {
    const to = applySimilarity3d(placed, sevenOf(face))
    const found = alignLandmarks(sevenOf(face), to)
    expect(difference(found, placed)).toBeLessThan(1e-9)
    expect(
      difference(composeSimilarities(invertSimilarity(placed), found), motion([0, 0, 0], 1, [0, 0, 0])),
    ).toBeLessThan(1e-9)
  })

  test('value: without a scale, the rigid motion is the best of many', () => {
    const [from, to] = [sevenOf(face), applySimilarity3d(placed, sevenOf(face))]
    const cost = (similarity: typeof placed) =>
      applySimilarity3d(similarity, from).reduce((sum, value, i) => sum + (value - to[i]) ** 2, 0)
    const found = alignLandmarks(from, to, { scale: false })
    expect(found.scale).toBe(1)
    const random = createRandom(3)
    for (let i = 0; i < 200; i++) {
      const nudge = motion([random.normal(0, 0.01), random.normal(0, 0.01), random.normal(0, 0.01)], 1, [
        random.normal(0, 0.3),
        random.normal(0, 0.3),
        random.normal(0, 0.3),
      ])
      expect(cost(composeSimilarities(nudge, found))).toBeGreaterThan(cost(found))
    }
  })

  test('throws: a mirrored face, which fits with residual 0 turned inside out', () => {
    const to = sevenOf(face)
    const mirrored = to.map((value, i) => (i % 3 === 2 ? -value : value))
    expect(() => alignLandmarks(mirrored, to)).toThrow(/mirrored.*fit 0\.00 .* flip one axis/)
    // A real face is not taken for one, however noisy its landmarks.
    const random = createRandom(5)
    expect(() =>
      alignLandmarks(
        to.map((value) => value + random.normal(0, 4)),
        to,
      ),
    ).not.toThrow()
  })

  test('throws: too few, not finite, or all in one place', () => {
    expect(() => alignLandmarks(new Float64Array(6), new Float64Array(6))).toThrow('expected the same number')
    expect(() => alignLandmarks([Number.NaN, 0, 0, 1, 0, 0, 0, 1, 0], [0, 0, 0, 1, 0, 0, 0, 1, 0])).toThrow(
      'point 0 of the prediction is not finite',
    )
    expect(() => alignLandmarks(new Float64Array(9), [0, 0, 0, 1, 0, 0, 0, 1, 0])).toThrow('in one place')
  })
})

describe('alignIcp', () => {
  for (const metric of ['point', 'plane', 'surface'] as const) {
    for (const sample of ['from', 'to'] as const) {
      test(`value: ${metric}, sampling ${sample}, finds a similarity from a start nearby`, () => {
        const scan = moved(face, placed)
        const start = composeSimilarities(motion([0.02, 0.03, -0.02], 0.98, [1.5, -1, 2]), placed)
        const { similarity, residual, matched, scaleAtLimit } = alignIcp(face, scan, {
          start,
          metric,
          sample,
          iterations: 250,
          tolerance: 1e-12,
        })
        expect(residual).toBeLessThan(metric === 'point' ? 0.05 : 1e-3)
        expect(difference(similarity, placed)).toBeLessThan(metric === 'point' ? 0.3 : 0.01)
        expect(matched).toBeGreaterThan(0.7)
        expect(scaleAtLimit).toBe(false)
      })
    }
  }

  test('value: another unit and other axes, by landmarks', () => {
    const lying = motion([-Math.PI / 2, 0, 0.4], 0.001, [0.3, 0.1, -2])
    const prediction = moved(face, lying)
    const { similarity } = alignIcp(prediction, face, {
      landmarks: { from: applySimilarity3d(lying, sevenOf(face)), to: sevenOf(face) },
    })
    expect(difference(composeSimilarities(similarity, lying), motion([0, 0, 0], 1, [0, 0, 0]))).toBeLessThan(
      1e-6,
    )
  })

  test('value: holes and outliers do not matter with trimming', () => {
    const scan = relief(31, { hole: true })
    const random = createRandom(9)
    const spiky = Float64Array.from(scan.positions)
    for (let v = 0; v < 31 * 31; v += 25) spiky[v * 3 + 2] += 15 + 10 * random.uniform()
    const start = motion([0.03, -0.02, 0.02], 1, [1, 2, -1])
    const run = (trim: number) =>
      alignIcp(face, { positions: spiky, triangles: scan.triangles }, { start, trim, iterations: 60 })
    const truth = motion([0, 0, 0], 1, [0, 0, 0])
    expect(difference(run(0.2).similarity, truth)).toBeLessThan(0.1)
    expect(difference(run(0).similarity, truth)).toBeGreaterThan(0.4)
  })

  test('value: a free scale collapses on noise; the range holds it, and sampling the truth does not need it', () => {
    const [noisy, clean] = [relief(41, { seed: 4, noise: 2, bumps: 0 }), relief(41, { bumps: 0 })]
    const patch = Array.from({ length: 41 * 41 }, (_, v) => v).filter(
      (v) => Math.hypot(clean.positions[v * 3] - 30, clean.positions[v * 3 + 1] - 20) < 25,
    )
    const free = { least: 1e-9, most: 1e9 }
    const common = { vertices: patch, iterations: 300, tolerance: 0 } as const
    const collapsed = alignIcp(noisy, clean, { ...common, sample: 'from', scale: free })
    // A perfect score for a spot on the surface.
    expect(collapsed.similarity.scale).toBeLessThan(1e-3)
    expect(collapsed.residual).toBeLessThan(1e-3)
    const held = alignIcp(noisy, clean, { ...common, sample: 'from' })
    expect(held.similarity.scale).toBeCloseTo(0.9, 9)
    expect(held.scaleAtLimit).toBe(true)
    expect(held.residual).toBeGreaterThan(1)
    const sampled = alignIcp(clean, noisy, { ...common, scale: free, iterations: 60, vertices: undefined })
    expect(sampled.similarity.scale).toBeCloseTo(1, 1)
    expect(sampled.residual).toBeGreaterThan(1)
  })

  test('value: trimming pulls the scale of closest points towards that of the start', () => {
    const small = relief(31)
    const large = moved(small, motion([0, 0, 0], 1.08, [0, 0, 0]))
    const scaleOf = (trim: number) =>
      alignIcp(small, large, { metric: 'point', trim, iterations: 150, tolerance: 0 }).similarity.scale
    expect(scaleOf(0)).toBeGreaterThan(1.07)
    expect(scaleOf(0.7)).toBeLessThan(1.06)
  })

  test('value: without a scale it stays 1', () => {
    const { similarity } = alignIcp(face, moved(face, motion([0.02, 0, 0], 1.05, [1, 0, 0])), {
      scale: 'none',
    })
    expect(similarity.scale).toBeCloseTo(1, 12)
    expect(rotationAngle(similarity.rotation)).toBeGreaterThan(0)
  })

  test('throws: surfaces that do not overlap, and options out of range', () => {
    const far = moved(face, motion([0, 0, 0], 1, [5000, 0, 0]))
    expect(() => alignIcp(face, far, { within: 50 })).toThrow(/0 of 961 vertices .* same unit/)
    expect(() => alignIcp(face, face, { trim: 1 })).toThrow('trim')
    expect(() => alignIcp(face, face, { scale: { least: 2, most: 1 } })).toThrow('in order')
  })
})
