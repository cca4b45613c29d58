import * as tf from '@tensorflow/tfjs-core'
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { defineKernel, float32 } from '@facekit/kernels'
import { batchNormalization, initEngine } from '@facekit/engine'

// TensorFlow's packages can't be installed everywhere: plain JavaScript plays the part of its backend. That shows what our side does;
// TensorFlow's own kernels it cannot show.
class StandIn extends MathBackendCPU {
  override blockSize = 48
}

const doubled = defineKernel({
  name: 'FacekitTestDoubled',
  inputs: { x: 'float32', y: 'float32' },
  outputs: ({ x }) => ({ sum: float32(x) }),
  cpu: ({ x, y }, { sum }) => x.forEach((value, i) => (sum[i] = 2 * value + y[i])),
  gradient: ({ upstream }) => ({ x: () => tf.mul(upstream.sum, 2), y: () => tf.clone(upstream.sum) }),
})

describe('the adapter of TensorFlow', () => {
  beforeAll(async () => {
    await initEngine({ backend: 'cpu' })
    tf.copyRegisteredKernels('cpu', 'tensorflow')
    tf.registerBackend('tensorflow', () => new StandIn(), 3)
  })
  afterAll(async () => {
    await initEngine({ backend: 'cpu' })
    tf.removeBackend('tensorflow')
  })

  it('value: auto takes it first when it is there', async () => {
    const info = await initEngine({ backend: 'auto' })
    expect([info.backend, info.reason]).toEqual(['tensorflow', 'TensorFlow is registered with tfjs'])
    expect(tf.getBackend()).toBe('tensorflow')
  })

  it('value: kernels of ours run on the CPU, each tensor copied once each way', async () => {
    await initEngine({ backend: 'tensorflow' })
    const [x, y] = [tf.tensor1d([1, 2]), tf.tensor1d([10, 20])]
    const backend = tf.backend() as StandIn
    const [reads, writes] = [vi.spyOn(backend, 'readSync'), vi.spyOn(backend, 'write')]
    const result = doubled({ x, y })
    expect([reads.mock.calls.length, writes.mock.calls.length]).toEqual([2, 1])
    reads.mockRestore()
    writes.mockRestore()
    expect(await result.data()).toEqual(new Float32Array([12, 24]))
    const [dx] = tf.grads((a, b) => doubled({ x: a, y: b }))([x, y])
    expect(await dx.data()).toEqual(new Float32Array([2, 2]))
  })

  it('value: repaired gradients, optimisers and batch normalisation work there', async () => {
    await initEngine({ backend: 'tensorflow' })
    const gradient = tf.grad((x) => tf.sum(tf.maximum(x, tf.tensor1d([2]))))(tf.tensor1d([1, 2, 3]))
    expect(await gradient.data()).toEqual(new Float32Array([0, 1, 1]))
    const weight = tf.variable(tf.tensor1d([1, 2]))
    const optimizer = tf.train.adam(0.1)
    const before = tf.memory().numTensors
    for (let i = 0; i < 3; i++)
      optimizer.minimize(() => tf.sum(tf.square(weight)) as tf.Scalar, false, [weight])
    expect((await weight.data())[0]).toBeLessThan(0.8)
    expect(tf.memory().numTensors - before).toBeLessThanOrEqual(3)
    const x = tf.tensor2d([[1], [3]])
    const { output } = batchNormalization(x, tf.ones([1]), tf.zeros([1]), { epsilon: 0 })
    expect(await output.data()).toEqual(new Float32Array([-1, 1]))
  })

  it('value: stock gradients that another package registers over ours are replaced again', async () => {
    const ours = tf.getGradient('Maximum')
    tf.unregisterGradient('Maximum')
    tf.registerGradient({ ...ours, gradFunc: () => ({}) })
    await initEngine({ backend: 'cpu' })
    await initEngine({ backend: 'tensorflow' })
    const gradient = tf.grad((x) => tf.sum(tf.maximum(x, tf.tensor1d([2]))))(tf.tensor1d([3]))
    expect(await gradient.data()).toEqual(new Float32Array([1]))
  })
})
