import { heatmapLoss } from '@facekit/annotate-training'
import { createRandom, ShapeError, ValueError } from '@facekit/core'
import { checkGradient, expectNoLeak, hasWebgpu, testBackends, useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'

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

describe.each(backends)('heatmapLoss on %s', (backend) => {
  beforeAll(() => useBackend(backend))
  const points = () => tf.tensor3d(places, [B, L, 2])
  const maps = () => values.map((data) => tf.tensor4d(data, [B, S, S, L]))

  it.each([
    ['cross-entropy', 0.7],
    ['squares', 0],
  ] as const)('value: by %s equals the formula in float64', async (kind, distance) => {
    const loss = heatmapLoss(maps(), points(), { kind, distance })
    const expected = reference(kind, distance)
    expect(Math.abs((await loss.data())[0] - expected) / expected).toBeLessThan(1e-4)
  })

  it.each(['cross-entropy', 'squares'] as const)('gradient: by %s', async (kind) => {
    const f = (...inputs: tf.Tensor[]) =>
      heatmapLoss(inputs as tf.Tensor4D[], points(), { kind, distance: 0.5 })
    await checkGradient(f, maps())
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
    await expectNoLeak(() => heatmapLoss(all, where, { distance: 1 }).dispose())
  })
})

describe('heatmapLoss', () => {
  beforeAll(() => useBackend('cpu'))

  it('throws: shapes and options', () => {
    const maps = tf.zeros<tf.Rank.R4>([1, 8, 8, 2])
    expect(() => heatmapLoss(maps, tf.zeros([1, 3, 2]))).toThrow(ShapeError)
    expect(() => heatmapLoss(maps, tf.zeros([1, 2, 2]), { kind: 'l1' as 'squares' })).toThrow(ValueError)
  })
})
