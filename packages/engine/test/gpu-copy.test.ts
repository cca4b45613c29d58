import * as tf from '@tensorflow/tfjs-core'
import { describe, expect, it } from 'vitest'
import { hasWebgpu, useBackend } from '@facekit/testing'

const webgpu = await hasWebgpu()

/** Large enough for our kernels; every number is another one. */
const make = (shape: number[], start = 0) =>
  tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => i + start),
    shape,
  )

const cases: Record<string, () => tf.Tensor> = {
  'concat of channels': () => tf.concat([make([2, 30, 30, 8]), make([2, 30, 30, 4], 1e5)], 3),
  'concat of odd channels': () => tf.concat([make([2, 40, 30, 5]), make([2, 40, 30, 3], 1e5)], 3),
  'concat of batches': () =>
    tf.concat([make([1, 30, 30, 8]), make([2, 30, 30, 8], 1e5), make([0, 30, 30, 8])], 0),
  'concat of rows': () => tf.concat([make([300, 20, 3]), make([300, 7, 3], 1e5)], 1),
  'slice of channels': () => tf.slice(make([2, 40, 40, 16]), [0, 0, 0, 4], [-1, -1, -1, 8]),
  'slice of odd channels': () => tf.slice(make([2, 50, 50, 7]), [0, 0, 0, 1], [-1, -1, -1, 5]),
  'slice of rows': () => tf.slice(make([4, 70, 30, 4]), [0, 3, 0, 0], [-1, 60, -1, -1]),
  'slice of batches': () => tf.slice(make([4, 7000]), [1, 0], [3, -1]),
  'slice of several axes': () => tf.slice(make([4, 70, 30, 4]), [1, 3, 0, 0], [3, 60, -1, -1]),
  'padding of pictures': () =>
    tf.pad(
      make([2, 30, 31, 8]),
      [
        [0, 1],
        [2, 1],
        [0, 3],
        [0, 0],
      ],
      -7,
    ),
  'padding of odd channels': () =>
    tf.pad(make([2, 50, 41, 5]), [
      [0, 0],
      [2, 1],
      [1, 1],
      [0, 0],
    ]),
  'padding of channels': () =>
    tf.pad(make([2, 50, 41, 4]), [
      [0, 0],
      [0, 0],
      [0, 0],
      [1, 2],
    ]),
}

describe.skipIf(!webgpu)('copies on webgpu', () => {
  for (const [name, run] of Object.entries(cases)) {
    it(`value: ${name}, as on the cpu`, async () => {
      await useBackend('cpu')
      const expected = tf.tidy(run)
      const values = await expected.data()
      await useBackend('webgpu')
      const actual = tf.tidy(run)
      expect(actual.shape).toEqual(expected.shape)
      expect(await actual.data()).toEqual(values)
    })
  }
})
