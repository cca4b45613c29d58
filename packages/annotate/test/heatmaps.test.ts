import { decodeHeatmaps, drawHeatmaps } from '@facekit/annotate'
import { createRandom, ShapeError, ValueError } from '@facekit/core'
import { checkGradient, expectNoLeak, hasWebgpu, testBackends, useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'

const random = createRandom(3)
const backends = [...testBackends, ...((await hasWebgpu()) ? ['webgpu'] : [])]

describe.each(backends)('heatmaps on %s', (backend) => {
  beforeAll(() => useBackend(backend))
  const values = Float32Array.from({ length: 2 * 8 * 8 * 3 }, () => random.normal())
  const map = () => tf.tensor4d(values, [2, 8, 8, 3])

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

  it('gradient: decodeHeatmaps', async () => {
    await checkGradient((x) => decodeHeatmaps(x as tf.Tensor4D).points, [map()])
  })

  it('memory: nothing is left behind', async () => {
    const all = map()
    await expectNoLeak(() => tf.dispose(decodeHeatmaps(all)))
  })
})

describe('heatmaps', () => {
  beforeAll(() => useBackend('cpu'))

  it('throws: shapes and options', () => {
    const maps = tf.zeros<tf.Rank.R4>([1, 8, 8, 2])
    expect(() => decodeHeatmaps(tf.zeros([1, 8, 4, 2]))).toThrow(ShapeError)
    expect(() => decodeHeatmaps(maps, { method: 'best' as 'peak' })).toThrow(ValueError)
    expect(() => drawHeatmaps(tf.zeros([1, 2, 3]), { size: 8 })).toThrow(ShapeError)
  })
})
