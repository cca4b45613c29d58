import * as tf from '@tensorflow/tfjs-core'
import { scaledGradients } from '@facekit/engine'
import { hasWebgpu, useBackend } from '@facekit/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const webgpu = await hasWebgpu()

interface Emulating extends tf.KernelBackend {
  matrixUnits: 'none' | 'emulated'
  mixed: boolean
  bufferManager: { numBytesUsed: number; peakBytes: number }
}
const gpuOf = () => tf.backend() as Emulating

describe.skipIf(!webgpu)('backward passes in mixed precision', () => {
  beforeAll(async () => {
    await useBackend('webgpu')
    Object.assign(gpuOf(), { matrixUnits: 'emulated', mixed: true })
  })
  afterAll(() => Object.assign(gpuOf(), { matrixUnits: 'none', mixed: false }))

  it('memory: free what they are done with as they go, and come to the gradients of float32', async () => {
    const LAYERS = 8
    const x = tf.randomNormal([1, 24, 24, 8], 0, 1, 'float32', 1) as tf.Tensor4D
    const weights = Array.from({ length: LAYERS }, (_, i) =>
      tf.variable(tf.randomNormal([1, 1, 8, 8], 0, 0.3, 'float32', i + 2) as tf.Tensor4D),
    )
    // What comes in is used twice, so that gradients are added, and one is handed on as it came.
    const loss = () => {
      let y = x
      for (const weight of weights) y = tf.add(tf.conv2d(y, weight, 1, 'same'), y)
      return tf.mean(tf.square(y)) as tf.Scalar
    }
    const run = async (gradients: typeof scaledGradients) => {
      const { bufferManager } = gpuOf()
      const used = (bufferManager.peakBytes = bufferManager.numBytesUsed)
      const { value, grads } = gradients(loss, weights)
      const peak = bufferManager.peakBytes - used
      const data = await Promise.all(weights.map(({ name }) => grads[name].data()))
      tf.dispose([value, grads])
      return { data, peak }
    }
    Object.assign(gpuOf(), { mixed: false })
    const { data: expected } = await run(tf.variableGrads)
    Object.assign(gpuOf(), { mixed: true })
    // Makes what is kept: the state of the scale, the weights' halves.
    await run(scaledGradients)
    const before = tf.memory().numTensors
    const stock = await run(tf.variableGrads)
    const { data: actual, peak } = await run(scaledGradients)
    // Of each layer two activations are saved; without, two gradients come to them.
    expect(stock.peak - peak).toBeGreaterThan(1.5 * LAYERS * 2 * x.size)
    expect(tf.memory().numTensors).toBe(before)
    for (const [i, gradient] of actual.entries()) {
      const largest = Math.max(...expected[i].map(Math.abs))
      const worst = Math.max(...gradient.map((value, k) => Math.abs(value - expected[i][k])))
      expect(worst).toBeLessThan(0.01 * largest)
    }
    tf.dispose([x, weights])
  })
})
