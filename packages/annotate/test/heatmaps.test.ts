import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { decodeHeatmaps, drawHeatmaps } from '@facekit/annotate'
import { heatmapLoss } from '@facekit/annotate-training'
import { createRandom, ShapeError, ValueError } from '@facekit/core'
import { checkGradient, expectNoLeak, hasWebgpu, testBackends, useBackend } from '@facekit/testing'

const random = createRandom(3)
const [B, S, L] = [2, 8, 3]
const places = Float32Array.from({ length: B * L * 2 }, () => random.uniform(6, 26))
const values = [0, 1].map(() => Float32Array.from({ length: B * S * S * L }, () => random.normal()))
const backends = [...testBackends, ...((await hasWebgpu()) ? ['webgpu'] : [])]

/** The formulas, in float64. */
function reference(kind: 'cross-entropy' | 'squares', distance: number): number {
  let total = 0
  for (const maps of values) {
    for (let b = 0; b < B; b++) {
      for (let l = 0; l < L; l++) {
        const [u, v] = [0, 1].map((axis) => places[(b * L + l) * 2 + axis] / 4)
        const pixels = Array.from({ length: S * S }, (_, p) => {
          const [x, y] = [(p % S) + 0.5, Math.floor(p / S) + 0.5]
          return { x, y, h: maps[(b * S * S + p) * L + l], g: Math.exp(-((x - u) ** 2 + (y - v) ** 2) / 2) }
        })
        if (kind === 'squares') {
          total += pixels.reduce((sum, { h, g }) => sum + (h - g) ** 2, 0)
          continue
        }
        const mass = pixels.reduce((sum, { g }) => sum + g, 0)
        const all = pixels.reduce((sum, { h }) => sum + Math.exp(h), 0)
        total -= pixels.reduce((sum, { h, g }) => sum + (g / mass) * (h - Math.log(all)), 0)
        const mean = (axis: 'x' | 'y') => pixels.reduce((sum, p) => sum + (p[axis] * Math.exp(p.h)) / all, 0)
        total += distance * Math.hypot(mean('x') - u, mean('y') - v)
      }
    }
  }
  return total / (B * L)
}

describe.each(backends)('heatmaps on %s', (backend) => {
  beforeAll(() => useBackend(backend))
  const points = () => tf.tensor3d(places, [B, L, 2])
  const maps = () => values.map((data) => tf.tensor4d(data, [B, S, S, L]))

  it('value: drawHeatmaps puts the blob where the landmark is', async () => {
    const drawn = drawHeatmaps(tf.tensor3d([18, 10], [1, 1, 2]), { size: 8, sigma: 1 })
    expect(drawn.shape).toEqual([1, 8, 8, 1])
    const blob = await drawn.data()
    // (18, 10) is (4.5, 2.5): the centre of column 4 in row 2.
    expect(blob[2 * 8 + 4]).toBeCloseTo(1, 5)
    expect(blob[2 * 8 + 5]).toBeCloseTo(Math.exp(-0.5), 5)
    expect(blob[3 * 8 + 5]).toBeCloseTo(Math.exp(-1), 5)
  })

  it('value: decodeHeatmaps finds what drawHeatmaps drew, by parts of a pixel', async () => {
    const inside = tf.tensor3d([30, 41.3, 17.9, 28.2], [1, 2, 2])
    const drawn = drawHeatmaps(inside, { size: 16, sigma: 1 })
    const peak = decodeHeatmaps(drawn, { method: 'peak' })
    const mean = decodeHeatmaps(tf.log(tf.add(drawn, 1e-12)) as tf.Tensor4D)
    for (const { points, scores } of [peak, mean]) {
      const [found, sure] = [await points.data(), await scores.data()]
      for (const [i, value] of (await inside.data()).entries())
        expect(Math.abs(found[i] - value)).toBeLessThan(0.3)
      for (const score of sure) expect(score).toBeGreaterThan(0.8)
    }
    expect(Math.abs((await mean.points.data())[1] - 41.3)).toBeLessThan(0.02)
  })

  it('value: a flat map is the middle with little certainty, an empty one has no peak', async () => {
    const flat = tf.zeros<tf.Rank.R4>([1, 16, 16, 1])
    const { points, scores } = decodeHeatmaps(flat)
    expect([...(await points.data())]).toEqual([32, 32].map((value) => expect.closeTo(value, 3)))
    expect((await scores.data())[0]).toBeLessThan(0.2)
    const peak = decodeHeatmaps(flat, { method: 'peak' })
    expect((await peak.scores.data())[0]).toBe(0)
    expect([...(await peak.points.data())].every(Number.isFinite)).toBe(true)
  })

  it.each([
    ['cross-entropy', 0.7],
    ['squares', 0],
  ] as const)('value: heatmapLoss by %s equals the formula in float64', async (kind, distance) => {
    const loss = heatmapLoss(maps(), points(), { kind, distance })
    const expected = reference(kind, distance)
    expect(Math.abs((await loss.data())[0] - expected) / expected).toBeLessThan(1e-4)
  })

  it.each(['cross-entropy', 'squares'] as const)('gradient: heatmapLoss by %s', async (kind) => {
    const f = (...inputs: tf.Tensor[]) =>
      heatmapLoss(inputs as tf.Tensor4D[], points(), { kind, distance: 0.5 })
    await checkGradient(f, maps())
  })

  it('gradient: decodeHeatmaps', async () => {
    await checkGradient((x) => decodeHeatmaps(x as tf.Tensor4D).points, [maps()[0]])
  })

  it('value: landmarks outside and those without weight do not count', async () => {
    const [first] = maps()
    const outside = tf.tensor3d([-40, 5, 5, 5, 90, 90, 5, 5, 5, 5, 5, 40], [B, L, 2])
    const weights = tf.tensor2d([0, 1, 0, 1, 1, 0], [B, L])
    const [a, b] = [heatmapLoss(first, outside), heatmapLoss(first, outside, { weights })]
    expect((await a.data())[0]).toBeCloseTo((await b.data())[0], 5)
    const none = heatmapLoss(first, outside, { weights: tf.zeros([B, L]) })
    expect((await none.data())[0]).toBe(0)
  })

  it('memory: nothing is left behind', async () => {
    const [all, where] = [maps(), points()]
    await expectNoLeak(() => tf.dispose([heatmapLoss(all, where, { distance: 1 }), decodeHeatmaps(all[0])]))
  })
})

describe('heatmaps', () => {
  beforeAll(() => useBackend('cpu'))

  it('throws: shapes and options', () => {
    const maps = tf.zeros<tf.Rank.R4>([1, 8, 8, 2])
    expect(() => heatmapLoss(maps, tf.zeros([1, 3, 2]))).toThrow(ShapeError)
    expect(() => heatmapLoss(maps, tf.zeros([1, 2, 2]), { kind: 'l1' as 'squares' })).toThrow(ValueError)
    expect(() => decodeHeatmaps(tf.zeros([1, 8, 4, 2]))).toThrow(ShapeError)
    expect(() => decodeHeatmaps(maps, { method: 'best' as 'peak' })).toThrow(ValueError)
    expect(() => drawHeatmaps(tf.zeros([1, 2, 3]), { size: 8 })).toThrow(ShapeError)
  })
})
