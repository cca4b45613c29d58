import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '@facekit/core'
import { assertHealthy } from '@facekit/engine'
import { checkGradient, hasWebgpu, testBackends, useBackend } from '@facekit/testing'

const webgpu = await hasWebgpu()
const random = createRandom(8)
/** Kept away from where an activation bends: 0 and 6. */
const values = (shape: number[], size = 1) =>
  tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => {
      const value = random.normal(0, size)
      return value + Math.sign(value) * 0.1 + (Math.abs(value - 6) < 0.3 ? 1 : 0)
    }),
    shape,
  )

describe.each([...testBackends, 'device', ...(webgpu ? ['webgpu'] : [])])('gradients on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  const functions: Record<string, [(x: tf.Tensor) => tf.Tensor, number[], number?]> = {
    'sum over all': [(x) => tf.mul(tf.sum(x), tf.scalar(2)), [3, 5]],
    'sum over the last axis': [(x) => tf.sum(x, -1), [3, 4, 5]],
    'sum over the last axis, of four numbers': [(x) => tf.sum(x, 1), [6, 8]],
    'sum over the first axes': [(x) => tf.sum(x, [0, 1]), [3, 4, 8]],
    'sum over separate axes, kept': [(x) => tf.sum(x, [0, 2], true), [3, 4, 2, 5]],
    'mean of pictures': [(x) => tf.mean(x, [1, 2]), [2, 3, 4, 5]],
    'mean of pictures, four channels at a time': [(x) => tf.mean(x, [1, 2]), [2, 3, 4, 8]],
    'mean over all': [(x) => tf.mean(x), [2, 7]],
    'mean over nothing': [(x) => tf.mean(x, []), [2, 3]],
    relu: [(x) => tf.relu(x), [3, 5]],
    'relu of four': [(x) => tf.relu(x), [3, 4]],
    relu6: [(x) => tf.relu6(x), [6, 7], 5],
    sigmoid: [(x) => tf.sigmoid(x), [3, 5]],
    tanh: [(x) => tf.tanh(x), [2, 8]],
    tile: [(x) => tf.tile(x, [2, 1, 3]), [2, 3, 2]],
    'tile of five axes': [(x) => tf.tile(x, [1, 2, 1, 1, 2]), [2, 1, 2, 2, 2]],
    'broadcast to a larger shape': [(x) => tf.broadcastTo(x, [4, 3, 5]), [3, 1]],
  }
  for (const [name, [f, shape, size]] of Object.entries(functions)) {
    it(`gradient: ${name}`, async () => {
      await checkGradient(f, [values(shape, size)])
    })
  }

  it('gradient: of gradients', async () => {
    const f = (x: tf.Tensor) => tf.mul(tf.sum(tf.square(x)), tf.mean(x))
    await checkGradient((x) => tf.grad((y) => tf.square(f(y)))(x), [values([6])], { step: 3e-3 })
    const x = tf.tensor1d([-1, 2, 3])
    const second = tf.grad((x) => tf.grad((y) => tf.mul(tf.relu(y), tf.square(y)))(x))(x)
    expect([...(await second.data())]).toEqual([0, 12, 18])
  })

  it('value: relu and relu6 at and beyond their bends', async () => {
    const x = tf.tensor1d([-1, 0, 1, 5, 7, 8, NaN])
    const dy = tf.tensor1d([1, 2, 3, 4, 5, 6, 7])
    expect(
      [
        ...(await tf
          .grad((x) => tf.relu(x))(x, dy)
          .data()),
      ].slice(0, 6),
    ).toEqual([0, 0, 3, 4, 5, 6])
    expect(
      [
        ...(await tf
          .grad((x) => tf.relu6(x))(x, dy)
          .data()),
      ].slice(0, 6),
    ).toEqual([0, 0, 3, 4, 0, 0])
  })

  it('value: empty tensors', async () => {
    expect(tf.grad((x) => tf.sum(x))(tf.zeros([0, 3])).shape).toEqual([0, 3])
    expect(tf.grad((x) => tf.relu(x))(tf.zeros([0, 3])).shape).toEqual([0, 3])
    expect(tf.grad((x) => tf.mean(x, 1))(tf.zeros([2, 0])).shape).toEqual([2, 0])
    await assertHealthy()
  })
})

describe.skipIf(!webgpu)('pooling on webgpu', () => {
  type Pad = 'same' | 'valid' | number
  const cases: [number[], number | [number, number], number | [number, number], Pad][] = [
    [[2, 8, 7, 8], 3, 2, 'same'],
    [[2, 8, 7, 5], 3, 2, 'same'],
    [[1, 9, 9, 4], 2, 2, 'valid'],
    [[2, 7, 7, 3], 3, 1, 'same'],
    [[1, 7, 9, 4], [2, 3], [3, 2], 'valid'],
    [[1, 7, 9, 4], 3, 2, 1],
    [[1, 5, 5, 4], 2, 3, 'valid'],
    [[1, 3, 3, 2], 3, 1, 'valid'],
    [[1, 18, 17, 1], [17, 16], 1, 'valid'],
  ]
  for (const [shape, size, strides, pad] of cases) {
    it(`value: [${shape.join(', ')}], window ${size}, stride ${strides}, ${pad}: as on the cpu`, async () => {
      const size4 = tf.util.sizeFromShape(shape)
      // Many equal numbers: the first one in the window gets it all.
      const x = Float32Array.from({ length: size4 }, () => Math.max(0, Math.round(random.normal(0, 2))))
      const run = async (backend: string) => {
        await useBackend(backend)
        const results = ([tf.maxPool, tf.avgPool] as const).map((pool) => {
          const f = (x: tf.Tensor) => pool(x as tf.Tensor4D, size, strides, pad)
          const input = tf.tensor(x, shape)
          const y = f(input)
          const dy = tf.tensor(
            Float32Array.from({ length: y.size }, (_, i) => ((i * 7) % 11) - 4),
            y.shape,
          )
          return [y, tf.grad(f)(input, dy)]
        })
        return Promise.all(results.flat().map((tensor) => tensor.data()))
      }
      const expected = await run('cpu')
      const actual = await run('webgpu')
      for (const [k, values] of actual.entries())
        for (const [i, value] of values.entries()) expect(value).toBeCloseTo(expected[k][i], 5)
    })
  }
})

describe.skipIf(!webgpu)('functions of one number on webgpu', () => {
  it('value: of large tensors, as on the cpu', async () => {
    const x = Float32Array.from({ length: 16_400 }, () => random.normal(0, 3))
    x.set([0, -0, 6, 7, -20, 20])
    const functions: Record<string, (x: tf.Tensor) => tf.Tensor> = {
      abs: tf.abs,
      elu: tf.elu,
      exp: tf.exp,
      leakyRelu: (x) => tf.leakyRelu(x, 0.3),
      neg: tf.neg,
      reciprocal: tf.reciprocal,
      relu: tf.relu,
      relu6: tf.relu6,
      rsqrt: (x) => tf.rsqrt(tf.add(tf.abs(x), 0.1)),
      sigmoid: tf.sigmoid,
      sqrt: (x) => tf.sqrt(tf.abs(x)),
      square: tf.square,
      step: (x) => tf.step(x, 0.25),
      tanh: tf.tanh,
    }
    const run = async (backend: string) => {
      await useBackend(backend)
      const results = Object.values(functions).map((f) => f(tf.tensor(x, [4100, 4])))
      return Promise.all(results.map((tensor) => tensor.data()))
    }
    const expected = await run('cpu')
    const actual = await run('webgpu')
    const wrong: string[] = []
    for (const [k, name] of Object.keys(functions).entries()) {
      for (const [i, value] of actual[k].entries()) {
        const wanted = expected[k][i]
        const difference = value === wanted ? 0 : Math.abs(value - wanted) / Math.max(1, Math.abs(wanted))
        if (!(difference < 2e-5)) wrong.push(`${name} of ${x[i]} is ${value}, not ${wanted}`)
      }
    }
    expect(wrong).toEqual([])
  })
})
