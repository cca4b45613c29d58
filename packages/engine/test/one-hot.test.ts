import { initEngine } from '@facekit/engine'
import * as tf from '@tensorflow/tfjs-core'
import { expect, it } from 'vitest'

it.each(['cpu', 'wasm'] as const)(
  'value: oneHot gives numbers of the type that is asked for on %s',
  async (backend) => {
    await initEngine({ backend })
    const hot = tf.oneHot(tf.tensor1d([1, 0], 'int32'), 2, 3, -1, 'float32')
    expect(hot.dtype).toBe('float32')
    expect(await tf.mul(hot, 0.5).array()).toEqual([
      [-0.5, 1.5],
      [1.5, -0.5],
    ])
  },
)
