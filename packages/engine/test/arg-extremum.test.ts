import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '@facekit/core'
import { initEngine } from '@facekit/engine'
import { hasWebgpu, testBackends, useBackend } from '@facekit/testing'

const webgpu = await hasWebgpu()

describe.each([...testBackends, ...(webgpu ? ['webgpu'] : [])])('argMax and argMin on %s', (backend) => {
  beforeAll(() => useBackend(backend))
  afterAll(() => initEngine({ backend: 'cpu' }))

  it.each([
    [[3, 5000], 1],
    [[700, 4], 0],
    [[2, 300, 3], 1],
    [[5, 1], 1],
    [[4096], 0],
  ])('value: of equal numbers the first, %j along %i', async (shape, axis) => {
    const random = createRandom(3)
    const size = shape[axis]
    const inner = tf.util.sizeFromShape(shape.slice(axis + 1))
    // Few different numbers: each is there many times.
    const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.integer(4))
    for (const type of ['float32', 'int32'] as const) {
      const x = tf.tensor(values, shape, type)
      for (const [run, sign] of [
        [tf.argMax, 1],
        [tf.argMin, -1],
      ] as const) {
        const result = run(x, axis)
        expect(result.dtype).toBe('int32')
        const actual = await result.data()
        actual.forEach((index, i) => {
          const begin = Math.floor(i / inner) * size * inner + (i % inner)
          const line = Array.from({ length: size }, (_, k) => sign * values[begin + k * inner])
          expect(index).toBe(line.indexOf(line.reduce((a, b) => Math.max(a, b))))
        })
        result.dispose()
      }
      x.dispose()
    }
  })
})
