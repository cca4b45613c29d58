import { initEngine } from '@facekit/engine'
import { hasWebgpu } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { describe, expect, it } from 'vitest'

// Its own file, thus its own process: a device that is lost stays lost.
describe.skipIf(!(await hasWebgpu()))('a device that was lost', () => {
  it('throws: what is read from it, and a start that would use it again; auto takes another backend', async () => {
    await initEngine({ backend: 'webgpu' })
    const { device } = tf.backend() as unknown as { device: GPUDevice }
    const tensor = tf.square(tf.tensor1d([1, 2]))
    device.destroy()
    await device.lost
    await expect(tensor.data()).rejects.toThrow(/device is lost/)
    await expect(initEngine({ backend: 'webgpu' })).rejects.toThrow(
      /backend "webgpu" does not work here \(the device is lost \(destroyed.*start the program again/,
    )
    const { backend } = await initEngine({ backend: 'auto', candidates: ['webgpu', 'wasm'] })
    expect(backend).toBe('wasm')
    expect([...(await tf.square(tf.tensor1d([3])).data())]).toEqual([9])
  })
})
