import * as tf from '@tensorflow/tfjs-core'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { beforeAll, describe, expect, it } from 'vitest'
import { BackendError } from '@facekit/core'
import { initEngine } from '@facekit/engine'

const wasm = () => tf.backend() as unknown as { numDataIds(): number }

describe('errors of the WASM backend', () => {
  beforeAll(async () => {
    await initEngine({ backend: 'wasm' })
  })

  it('throws: a kernel that XNNPACK refuses, and nothing is left of it', async () => {
    const product = () => tf.tidy(() => tf.matMul(tf.ones([2, 0]), tf.ones([0, 2])))
    expect(product).toThrow(BackendError)
    const before = wasm().numDataIds()
    expect(product).toThrow(
      /wasm backend: kernel BatchMatMul failed for a \[1?,? ?2, 0\], b \[1?,? ?0, 2\]: it wrote no result/,
    )
    expect(wasm().numDataIds()).toBe(before)
    expect(await tf.matMul(tf.ones([1, 2]), tf.ones([2, 1])).data()).toEqual(new Float32Array([2]))
  })

  it('throws: a full memory, and what is in it stays', async () => {
    const kept = tf.tensor1d([1, 2, 3])
    // By way of the backend: nothing is written into what there is no room for.
    const backend = tf.backend() as BackendWasm
    const large = () => backend.makeOutput([750_000_000], 'float32')
    const first = large()
    expect(large).toThrow(BackendError)
    expect(large).toThrow('out of memory for 3000000000 bytes')
    backend.disposeData(first.dataId)
    // More than an address can say: stock tfjs would take the rest of a division by 4 GB.
    expect(() => backend.makeOutput([1_073_741_825], 'float32')).toThrow('out of memory for 4294967300 bytes')
    expect(await kept.data()).toEqual(new Float32Array([1, 2, 3]))
    expect(await tf.mul(kept, 2).data()).toEqual(new Float32Array([2, 4, 6]))
  })

  it('throws: an operation that the backend lacks', () => {
    expect(() => tf.complex([1], [2])).toThrow(BackendError)
    expect(() => tf.complex([1], [2])).toThrow(
      'wasm backend: it has no kernel Complex; compose it of others, or use backend "cpu"',
    )
  })

  it('value: a NaN is a result as any other', async () => {
    expect(Number.isNaN((await tf.sqrt(tf.tensor1d([-1])).data())[0])).toBe(true)
  })

  it('value: variables that an optimiser changes in place are seen by convolutions and matrix products', async () => {
    const filter = tf.variable(tf.ones<tf.Rank.R4>([1, 1, 1, 1]))
    const weights = tf.variable(tf.ones<tf.Rank.R2>([1, 1]))
    const predict = () =>
      tf.tidy(() =>
        tf.add(
          tf.sum(tf.conv2d(tf.ones<tf.Rank.R4>([1, 1, 1, 1]), filter, 1, 'same')),
          tf.sum(tf.matMul(tf.ones([1, 1]), weights)),
        ),
      )
    expect((await predict().data())[0]).toBe(2)
    const optimizer = tf.train.adam(0.25)
    for (const expected of [1.5, 1, 0.5]) {
      optimizer.minimize(() => predict() as tf.Scalar, false, [filter, weights])
      expect((await predict().data())[0]).toBeCloseTo(expected, 3)
    }
    optimizer.dispose()
  })
})
