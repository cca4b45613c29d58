import * as tf from '@tensorflow/tfjs-core'
import { describe, expect, it } from 'vitest'
import { createRandom, ValueError } from '@facekit/core'
import { initEngine } from '@facekit/engine'

const random = createRandom(4)
const tensor = (shape: number[]) => {
  const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.normal())
  return () => tf.tensor<tf.Rank.R4>(values, shape as [number, number, number, number])
}

/** Shape of the picture, of the filter, and the stride: many pixels, few of them, many taps, one tap, odd numbers. */
const cases: [number[], number[], number][] = [
  [[1, 37, 41, 24], [3, 3, 24, 30], 1],
  [[1, 5, 5, 200], [3, 3, 200, 190], 1],
  [[2, 43, 43, 3], [7, 7, 3, 61], 2],
  [[2, 33, 31, 70], [1, 1, 70, 65], 1],
  [[2, 23, 22, 66], [5, 4, 66, 33], 2],
  // A filter large enough to be packed by several threads.
  [[1, 5, 4, 130], [3, 3, 130, 125], 1],
]

describe('threads of the WASM backend', () => {
  it('throws: no number of threads', async () => {
    await expect(initEngine({ backend: 'wasm', threads: 0 })).rejects.toThrow(ValueError)
    await expect(initEngine({ backend: 'wasm', threads: 1.5 })).rejects.toThrow(
      'initEngine: threads is 1.5, expected a whole number from 1',
    )
  })

  it('value: four of them compute what the cpu does, time and again', async () => {
    const { threads, reason } = await initEngine({ backend: 'wasm', threads: 4 })
    expect([threads, reason]).toEqual([4, 'WebAssembly with SIMD, 4 threads'])
    for (const [shape, filterShape, stride] of cases) {
      const [x, filter] = [tensor(shape), tensor(filterShape)]
      const run = async (backend: 'cpu' | 'wasm') => {
        await initEngine({ backend })
        const results = tf.tidy(() => {
          const conv = (a: tf.Tensor, b: tf.Tensor) =>
            tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, stride, 'same')
          const value = conv(x(), filter())
          const dy = tf.cos(tf.reshape(tf.range(0, value.size), value.shape))
          return [value, ...tf.grads(conv)([x(), filter()], dy)]
        })
        const data = await Promise.all(results.map((result) => result.data<'float32'>()))
        tf.dispose(results)
        return data
      }
      const expected = await run('cpu')
      const first = await run('wasm')
      for (const [i, values] of expected.entries()) {
        const scale = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1)
        const worst = values.reduce((worst, value, k) => Math.max(worst, Math.abs(value - first[i][k])), 0)
        expect(worst / scale).toBeLessThan(2e-5)
      }
      for (let i = 0; i < 3; i++) {
        const again = await run('wasm')
        expect(again.every((values, k) => values.every((value, j) => value === first[k][j]))).toBe(true)
      }
    }
  })

  it('value: they update a large variable as one does', async () => {
    const size = 200_003
    const gradient = Float32Array.from({ length: size }, () => random.normal())
    const run = async (backend: 'cpu' | 'wasm') => {
      await initEngine({ backend })
      const variable = tf.variable(tf.zeros([size]))
      const optimizer = tf.train.adam(0.1)
      const weights = tf.tensor1d(gradient)
      for (let i = 0; i < 2; i++) {
        optimizer.minimize(() => tf.sum(tf.mul(variable, weights)) as tf.Scalar, false, [variable])
      }
      const values = await variable.data<'float32'>()
      optimizer.dispose()
      tf.dispose([variable, weights])
      return values
    }
    const [expected, actual] = [await run('cpu'), await run('wasm')]
    expect(
      expected.reduce((worst, value, i) => Math.max(worst, Math.abs(value - actual[i])), 0),
    ).toBeLessThan(1e-5)
  })
})
