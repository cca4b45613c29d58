import * as tf from '@tensorflow/tfjs-core'
import { BackendError } from '@facekit/core'
import { type HostKernel, hasHostMemory, runHostKernel } from '@facekit/kernels'
import { checkGradient, expectNoLeak, testBackends, useBackend } from '@facekit/testing'
import { beforeAll, describe, expect, it } from 'vitest'

/** out = factor * x^2, and the sign of x. */
const squares: HostKernel<{ factor: number }> = {
  name: 'TestSquares',
  inputs: ['x'],
  outputs: ([shape]) => [
    { shape, dtype: 'float32' },
    { shape, dtype: 'int32' },
  ],
  compute([x], [square, sign], _shapes, { factor }) {
    for (let i = 0; i < x.length; i++) {
      square[i] = factor * x[i] ** 2
      sign[i] = Math.sign(x[i])
    }
  },
  gradient: {
    inputsToSave: ['x'],
    gradFunc: (upstream, [x], attributes) => ({
      x: () => tf.mul(tf.mul((upstream as tf.Tensor[])[0], x), 2 * (attributes.factor as number)),
    }),
  },
}

describe.each(testBackends)('runHostKernel on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it('value: fills all outputs, and works between other operations', async () => {
    expect(hasHostMemory()).toBe(true)
    const [square, sign] = runHostKernel(squares, { x: tf.tensor2d([[-1, 2]]) }, { factor: 3 })
    expect(await square.array()).toEqual([[3, 12]])
    expect(sign.dtype).toBe('int32')
    expect(await sign.array()).toEqual([[-1, 1]])
    expect(await tf.add(square, 1).array()).toEqual([[4, 13]])
  })

  it('gradient: as the kernel says', async () => {
    await checkGradient((x) => runHostKernel(squares, { x }, { factor: 3 })[0], [tf.tensor1d([-1, 2, 0.5])])
  })

  it('gradient: of an output that nothing depends on the kernel is told, if it wants to know', async () => {
    const seen: unknown[] = []
    const twice: HostKernel<{ factor: number }> = {
      ...squares,
      name: 'TestMissing',
      outputs: ([shape]) => [0, 1].map(() => ({ shape, dtype: 'float32' })),
      missingUpstream: 'undefined',
      gradient: {
        inputsToSave: ['x'],
        gradFunc: (upstream, [x]) => {
          seen.push(...(upstream as (tf.Tensor | undefined)[]).map((tensor) => tensor?.shape))
          return { x: () => tf.mul((upstream as tf.Tensor[])[1], x) }
        },
      },
    }
    const second = tf.grad((x: tf.Tensor) => runHostKernel(twice, { x }, { factor: 1 })[1])
    expect(await second(tf.tensor1d([5, 7])).array()).toEqual([5, 7])
    expect(seen).toEqual([undefined, [2]])
  })

  it('memory: only the outputs', async () => {
    const x = tf.tensor1d([1, 2])
    await expectNoLeak(() => tf.dispose(runHostKernel(squares, { x }, { factor: 1 })))
  })
})

describe('runHostKernel elsewhere', () => {
  it('value: works on copies where memory is read through the backend', async () => {
    await useBackend('device')
    expect(hasHostMemory()).toBe(false)
    const [square] = runHostKernel(squares, { x: tf.tensor1d([3]) }, { factor: 2 })
    expect(await square.array()).toEqual([18])
  })

  it('value: on webgpu the kernel makes its own outputs; throws: when it has no way to', async () => {
    // The name alone decides, so that no adapter is needed.
    tf.registerBackend('webgpu', () => tf.findBackendFactory('cpu')() as tf.KernelBackend)
    tf.copyRegisteredKernels('cpu', 'webgpu')
    await tf.setBackend('webgpu')
    const x = tf.tensor1d([3])
    expect(() => runHostKernel(squares, { x }, { factor: 1 })).toThrow(BackendError)
    expect(() => runHostKernel(squares, { x }, { factor: 1 })).toThrow(/TestSquares.*webgpu.*use cpu/)
    const own: HostKernel = {
      ...(squares as HostKernel),
      name: 'TestOwnSquares',
      webgpu: (backend, [{ shape, dtype }]) => [
        { dataId: backend.write(Float32Array.of(7), shape, dtype), shape, dtype },
      ],
    }
    const [output] = runHostKernel(own, { x }, {})
    expect(await output.array()).toEqual([7])
    tf.removeBackend('webgpu')
  })
})
