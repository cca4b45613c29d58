import { testBackends, useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { describe, expect, it } from 'vitest'
import { helloTriangle } from './index.js'

describe.each(testBackends)('01-hello-triangle on %s', (backend) => {
  it('value: the corners are found', async () => {
    await useBackend(backend)
    const before = tf.memory().numTensors
    const { loss, corners } = helloTriangle()
    expect(loss).toBeLessThan(1e-4)
    const expected = [0.1, 0.7, -0.6, -0.5, 0.8, -0.3]
    corners.forEach((value, i) => expect(Math.abs(value - expected[i])).toBeLessThan(0.02))
    expect(tf.memory().numTensors).toBe(before)
  })
})
