import { initEngine, inspectBackends } from '@facekit/engine'
import { hasWebgpu, testBackends, useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { afterEach, describe, expect, it } from 'vitest'

const gpu = await hasWebgpu()
let restore = () => {}
afterEach(() => restore())

/** Makes a kernel give a result of which each number is one too large. */
function breakKernel(kernelName: string, backendName: string): void {
  const right = tf.getKernel(kernelName, backendName)!
  const replace = (kernel: tf.KernelConfig) => {
    tf.unregisterKernel(kernelName, backendName)
    tf.registerKernel(kernel)
  }
  replace({
    ...right,
    kernelFunc: (args) => {
      const info = right.kernelFunc(args) as tf.TensorInfo
      const result = tf.engine().makeTensorFromTensorInfo(info)
      const one = tf.scalar(1)
      const wrong = tf
        .getKernel('Add', backendName)
        .kernelFunc({ inputs: { a: result, b: one }, backend: args.backend })
      tf.dispose([result, one])
      return wrong
    },
  })
  restore = () => {
    replace(right)
    restore = () => {}
  }
}

/** What the known answers need. */
const KERNELS = ['BatchMatMul', 'Conv2D', 'Sum', 'Relu', 'Transpose', 'Multiply'] as const

// Its own file, thus its own process: kernels are exchanged for all of it.
describe('known answers', () => {
  it.each(testBackends)('value: %s gives them', async (backend) => {
    await useBackend(backend)
    const report = (await inspectBackends()).find((each) => each.backend === backend)
    expect(report).toMatchObject({ available: true })
    expect(tf.memory().numTensors).toBe(0)
  })

  it.skipIf(!gpu)('throws: a GPU with a wrong kernel; auto takes another backend', async () => {
    for (const kernel of KERNELS) {
      await initEngine({ backend: 'webgpu' })
      await initEngine({ backend: 'wasm' })
      breakKernel(kernel, 'webgpu')
      await expect(initEngine({ backend: 'webgpu' })).rejects.toThrow(
        /backend "webgpu" does not work here \(it computes wrong numbers: -?[\d.]+ instead of -?[\d.]+\)/,
      )
      // What ran before still runs.
      expect(tf.getBackend()).toBe('wasm')
      const report = (await inspectBackends()).find(({ backend }) => backend === 'webgpu')!
      expect(report).toMatchObject({ available: false, reason: expect.stringMatching(/wrong numbers/) })
      restore()
    }
    await expect(initEngine({ backend: 'webgpu' })).resolves.toMatchObject({ backend: 'webgpu' })
  })
})
