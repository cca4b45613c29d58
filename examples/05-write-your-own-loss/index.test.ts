import { initEngine } from '@facekit/engine'
import { testBackends } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { describe, expect, it } from 'vitest'
import { writeYourOwnLoss } from './index.js'

describe.each(testBackends)('05-write-your-own-loss on %s', (backend) => {
  it('value: the own term takes part, and the light becomes symmetric', async () => {
    await initEngine({ backend })
    const tensors = tf.memory().numTensors
    const { before, after, names } = await writeYourOwnLoss()
    expect(names).toEqual(['photometric', 'landmark', 'regularization', 'uniform', 'symmetricLight'])
    expect(before).toBeCloseTo(9 * 0.25, 4)
    expect(after).toBeLessThan(0.05)
    expect(tf.memory().numTensors).toBe(tensors)
  })
})
