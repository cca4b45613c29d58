import * as tf from '@tensorflow/tfjs-core'
import { checkGradient, testBackends, useBackend } from '@facekit/testing'
import { neutralParameters, packParameters, parameterCount, unpackParameters } from '@facekit/parameters'
import { beforeAll, describe, expect, it } from 'vitest'

const layout = { identity: 4, expression: 3, albedo: 2 }

describe.each(testBackends)('parameter vector on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it('shape: packs all parts of neutral parameters', () => {
    const vector = packParameters(neutralParameters(layout, 2))
    expect(vector.shape).toEqual([2, 4 + 3 + 2 + 3 + 3 + 1 + 27 + 3 + 3 + 1])
    expect(parameterCount(layout)).toBe(50)
  })

  it('value: unpack inverts pack', async () => {
    const vector = tf.tensor2d(
      Array.from({ length: 100 }, (_, i) => i),
      [2, 50],
    )
    const back = packParameters(unpackParameters(vector, layout))
    expect(await back.array()).toEqual(await vector.array())
  })

  it('gradient: flows through pack and unpack', async () => {
    const vector = tf.randomNormal([2, 50], 0, 1, 'float32', 3) as tf.Tensor2D
    await checkGradient(
      (v) => tf.square(packParameters(unpackParameters(v as tf.Tensor2D, layout))),
      [vector],
    )
  })

  it('throws: on a vector that does not fit the layout', () => {
    expect(() => unpackParameters(tf.zeros([1, 49]), layout)).toThrow(
      'unpackParameters: vector is [1, 49], expected [B, 50]',
    )
  })
})
