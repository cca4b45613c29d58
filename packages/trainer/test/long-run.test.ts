import { createRandom } from '@facekit/core'
import { useBackend } from '@facekit/testing'
import { runTraining, seededBatches } from '@facekit/trainer'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { killAndResume } from './kill.js'
import { scratchFolder } from './training-fixtures.js'

describe('a long training', () => {
  beforeAll(() => useBackend('wasm'))

  it('memory: 1,000 steps leave no tensor behind, and take no memory', async () => {
    const w = tf.variable(tf.randomNormal([64, 64], 0, 0.1, 'float32', 1))
    const b = tf.variable(tf.zeros([64]))
    const samples: { tensors: number; bytes: number }[] = []
    const before = tf.memory()
    await runTraining<[tf.Tensor2D]>({
      model: { variables: { w, b } },
      loss: (_, x) => {
        const error = tf.sub(tf.tanh(tf.add(tf.matMul(x, w as tf.Tensor2D), b)), x)
        return {
          total: tf.mean(tf.square(error)) as tf.Scalar,
          terms: { size: tf.mean(tf.abs(error)) as tf.Scalar },
        }
      },
      batches: seededBatches(1, (random) => [
        tf.tensor2d(
          Float32Array.from({ length: 512 }, () => random.normal()),
          [8, 64],
        ),
      ]),
      iterations: 1000,
      learningRate: 1e-3,
      clipNorm: 1,
      folder: scratchFolder(),
      checkpointEvery: 250,
      onProgress: ({ iteration }) => {
        if (iteration % 100 !== 0) return
        const { numTensors: tensors, numBytes: bytes } = tf.memory()
        samples.push({ tensors, bytes })
      },
    })
    expect(samples).toHaveLength(10)
    expect(new Set(samples.map(({ tensors }) => tensors)).size).toBe(1)
    expect(new Set(samples.map(({ bytes }) => bytes)).size).toBe(1)
    expect(tf.memory().numTensors).toBe(before.numTensors)
    expect(tf.memory().numBytes).toBe(before.numBytes)
    tf.dispose([w, b])
  })

  it('value: killed at random moments and resumed, it has the same losses to the bit', async () => {
    const random = createRandom(11)
    const moment = () => ({ after: 1 + random.integer(6), delay: random.uniform(0, 20) })
    expect(await killAndResume(2, 16, moment)).toBeGreaterThan(0)
  })
})
