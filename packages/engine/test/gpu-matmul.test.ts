import * as tf from '@tensorflow/tfjs-core'
import { createRandom } from '@facekit/core'
import { hasWebgpu, useBackend } from '@facekit/testing'
import { describe, expect, it } from 'vitest'

const webgpu = await hasWebgpu()

const random = createRandom(11)
const numbers = (shape: number[]) => ({
  shape,
  data: Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.uniform() * 2 - 1),
})

/** The same computation on both backends. */
async function compare(
  inputs: { shape: number[]; data: Float32Array }[],
  compute: (...inputs: tf.Tensor[]) => tf.Tensor,
): Promise<void> {
  const run = async (backend: string) => {
    await useBackend(backend)
    const made = inputs.map(({ shape, data }) => tf.tensor(data, shape))
    const before = tf.memory().numTensors
    const result = tf.tidy(() => compute(...made))
    const out = { shape: result.shape, data: await result.data() }
    result.dispose()
    expect(tf.memory().numTensors).toBe(before)
    tf.dispose(made)
    return out
  }
  const actual = await run('webgpu')
  const expected = await run('cpu')
  expect(actual.shape).toEqual(expected.shape)
  const errors = Array.from(
    expected.data,
    (value, i) => Math.abs(actual.data[i] - value) / (1 + Math.abs(value)),
  )
  expect(Math.max(...errors)).toBeLessThan(2e-5)
}

describe.skipIf(!webgpu)('matrix products on webgpu', () => {
  const cases: [number[], number[]][] = [
    [
      [5, 33],
      [33, 7],
    ],
    [
      [64, 48],
      [48, 36],
    ],
    [
      [3, 513],
      [513, 5],
    ],
    [
      [2, 6, 20],
      [2, 20, 9],
    ],
    [
      [1, 4, 16],
      [3, 16, 8],
    ],
  ]
  const flip = (shape: number[]) => [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!]
  for (const [a, b] of cases) {
    for (const [transposeA, transposeB] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ]) {
      const shapes = [transposeA ? flip(a) : a, transposeB ? flip(b) : b]
      it(`value: as on the cpu, ${shapes.join(' by ')}, transposed ${transposeA}, ${transposeB}`, async () => {
        await compare(shapes.map(numbers), (x, y) => tf.matMul(x, y, transposeA, transposeB))
      })
    }
  }

  it('value: axes before the last two are broadcast on either side', async () => {
    // The cpu backend can't do that.
    await compare([numbers([2, 1, 5, 8]), numbers([3, 8, 4])], (a, b) =>
      tf.matMul(
        tf.getBackend() === 'cpu' ? tf.broadcastTo(a, [2, 3, 5, 8]) : a,
        tf.getBackend() === 'cpu' ? tf.broadcastTo(b, [2, 3, 8, 4]) : b,
      ),
    )
  })

  const activations = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const
  for (const activation of activations) {
    it(`value: with bias and ${activation} as on the cpu`, async () => {
      for (const columns of [8, 5]) {
        const inputs = [[6, 300], [300, columns], [columns], [columns]].map(numbers)
        await compare(inputs, (a, b, bias, slopes) =>
          tf.fused.matMul({
            a,
            b,
            bias,
            activation,
            ...(activation === 'prelu' && { preluActivationWeights: slopes }),
            ...(activation === 'leakyrelu' && { leakyreluAlpha: 0.3 }),
          } as Parameters<typeof tf.fused.matMul>[0]),
        )
      }
    })
  }

  it('value: what is rare is left to tfjs: integers, a bias for each row', async () => {
    await useBackend('webgpu')
    const product = tf.tidy(() => tf.matMul(tf.ones([2, 2], 'int32'), tf.ones([2, 2], 'int32')))
    expect(product.dtype).toBe('int32')
    expect(Array.from(await product.data())).toEqual([2, 2, 2, 2])
    await compare(
      [
        [4, 3],
        [3, 2],
        [4, 2],
      ].map(numbers),
      (a, b, bias) => tf.fused.matMul({ a, b, bias }),
    )
  })

  it('gradient: products of vectors and matrices as on the cpu', async () => {
    await compare(
      [
        [7, 9],
        [9, 4],
      ].map(numbers),
      (a, b) =>
        tf.grad((x: tf.Tensor) => tf.sum(tf.square(tf.matMul(x as tf.Tensor2D, b as tf.Tensor2D))))(a),
    )
  })
})
