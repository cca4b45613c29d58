import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { initEngine } from '@facekit/engine'
import { useBackend } from '@facekit/testing'

const constant = Math.fround(0.7)

describe('sums on wasm', () => {
  beforeAll(() => useBackend('wasm'))
  afterAll(() => initEngine({ backend: 'cpu' }))

  it.each([224, 512, 1024, 2048])(
    'value: mean and sum of 0.7 over a square of %i pixels with 3 channels',
    (size) => {
      tf.tidy(() => {
        const x = tf.fill([size, size, 3], 0.7)
        expect(Math.abs(tf.mean(x).dataSync()[0] / constant - 1)).toBeLessThan(2e-7)
        expect(Math.abs(tf.sum(x).dataSync()[0] / (constant * size * size * 3) - 1)).toBeLessThan(2e-7)
      })
    },
  )

  it.each([
    [[2, 300_000], [1]],
    [[2, 100_000, 3], [1]],
    [
      [1000, 2, 1000],
      [0, 2],
    ],
    [[300_000, 2], [0]],
  ])('value: %j over the axes %j', (shape, axes) => {
    tf.tidy(() => {
      const kept = tf.mean(tf.fill(shape, 0.7), axes, true)
      expect(kept.shape).toEqual(shape.map((size, axis) => (axes.includes(axis) ? 1 : size)))
      for (const value of kept.dataSync()) expect(Math.abs(value / constant - 1)).toBeLessThan(2e-7)
    })
  })

  it('value: integers, odd lengths, no axes', () => {
    tf.tidy(() => {
      const odd = tf.range(1, 132)
      expect(tf.sum(odd).dataSync()[0]).toBe((131 * 132) / 2)
      expect(tf.mean(tf.cast(odd, 'int32')).dataSync()[0]).toBe(66)
      expect(tf.sum(tf.cast(odd, 'int32')).dtype).toBe('int32')
      expect([...tf.sum(tf.tensor2d([[1, 2]]), []).dataSync()]).toEqual([1, 2])
    })
  })
})

describe.each(['cpu', 'wasm'])('tf.cast on %s', (backend) => {
  beforeAll(() => useBackend(backend))
  afterAll(() => initEngine({ backend: 'cpu' }))

  it('value: every number but 0 is true', () => {
    tf.tidy(() => {
      const numbers = tf.tensor1d([0, -0, 0.3, -0.5, 256, 1e-30, Number.NaN])
      expect([...tf.cast(numbers, 'bool').dataSync()]).toEqual([0, 0, 1, 1, 1, 1, 1])
      expect([...tf.cast(tf.tensor1d([0, 256, -512], 'int32'), 'bool').dataSync()]).toEqual([0, 1, 1])
    })
  })
})
