import * as tf from '@tensorflow/tfjs-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { batchNormalization, synchronizeBatchNormalization } from '@facekit/engine'
import { testBackends, useBackend } from '@facekit/testing'

const CHANNELS = 5

/** Output, statistics and gradients of all inputs, of a loss that looks at every number. */
async function compute(x: tf.Tensor2D, residual: tf.Tensor2D | undefined, weights: tf.Tensor2D) {
  const scale = tf.linspace(0.5, 2, CHANNELS)
  const offset = tf.linspace(-0.3, 0.2, CHANNELS)
  const run = (...inputs: tf.Tensor[]) =>
    batchNormalization(inputs[0] as tf.Tensor2D, inputs[1] as tf.Tensor1D, inputs[2] as tf.Tensor1D, {
      activation: 'relu',
      ...(inputs[3] && { residual: inputs[3] as tf.Tensor2D }),
    })
  const inputs = [x, scale, offset, ...(residual ? [residual] : [])]
  const gradients = tf.grads((...all) => tf.sum(tf.mul(run(...all).output, weights)))(inputs)
  const { output, mean, variance } = run(...inputs)
  const results = [output, mean, variance, ...gradients]
  const values = await Promise.all(results.map(async (tensor) => Array.from(await tensor.data())))
  tf.dispose([results, scale, offset])
  return values
}

describe.each(testBackends)('synchronizeBatchNormalization on %s', (backend) => {
  beforeAll(() => useBackend(backend))
  afterAll(() => synchronizeBatchNormalization())
  afterEach(() => synchronizeBatchNormalization())

  it.each([false, true])('value: of a process that is alone, as usual (residual: %s)', async (residual) => {
    const [x, added, weights] = [1, 2, 3].map((seed) =>
      tf.randomNormal([12, CHANNELS], 3, 2, 'float32', seed),
    )
    const inputs = [x, residual ? added : undefined, weights] as unknown as Parameters<typeof compute>
    const before = await compute(...inputs)
    synchronizeBatchNormalization(() => {})
    const after = await compute(...inputs)
    after.flat().forEach((value, i) => expect(value).toBeCloseTo(before.flat()[i], 4))
    tf.dispose([x, added, weights])
  })

  it('value: two processes with the halves of a batch have its statistics and its gradients', async () => {
    const random = (seed: number) => tf.randomNormal([12, CHANNELS], 3, 2, 'float32', seed) as tf.Tensor2D
    const [x, weights] = [random(1), random(2)]
    const whole = await compute(x, undefined, weights)
    const halves = [tf.split(x, 2), tf.split(weights, 2)] as tf.Tensor2D[][]
    // The other one's numbers, learnt from a run in which it was first: each sum depends on the sums before it.
    const known: Float64Array[][] = [[], []]
    let results: number[][][] = []
    for (let round = 0; round < 6; round++) {
      results = []
      for (const process of [0, 1]) {
        let call = 0
        synchronizeBatchNormalization((values) => {
          const own = values.slice()
          const other = known[1 - process][call]
          if (other) values.forEach((value, i) => (values[i] = value + other[i]))
          else values.forEach((value, i) => (values[i] = 2 * value))
          known[process][call++] = own
        })
        results.push(await compute(halves[0][process], undefined, halves[1][process]))
      }
    }
    const [output, mean, variance, dx, dScale, dOffset] = whole
    for (const [i, [ownOutput, ownMean, ownVariance, ownDx]] of results.entries()) {
      const half = (values: number[]) => values.slice(i * 6 * CHANNELS, (i + 1) * 6 * CHANNELS)
      const pairs = [
        [ownOutput, half(output)],
        [ownMean, mean],
        [ownVariance, variance],
        [ownDx, half(dx)],
      ]
      for (const [found, expected] of pairs)
        found.forEach((value, k) => expect(value).toBeCloseTo(expected[k], 3))
    }
    // Each has the part of its own rows: together they are the whole.
    dScale.forEach((value, k) => expect(results[0][4][k] + results[1][4][k]).toBeCloseTo(value, 3))
    dOffset.forEach((value, k) => expect(results[0][5][k] + results[1][5][k]).toBeCloseTo(value, 3))
    tf.dispose([x, weights, halves])
  })
})
