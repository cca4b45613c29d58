import * as tf from '@tensorflow/tfjs-core'
import { createRandom } from '@facekit/core'
import { hasWebgpu, useBackend } from '@facekit/testing'
import { describe, expect, it } from 'vitest'

const webgpu = await hasWebgpu()
await useBackend('cpu')

const random = createRandom(7)
const integer = (low: number, high: number) => low + Math.floor(random.uniform() * (high - low + 1))
const pick = <T>(values: readonly T[]) => values[integer(0, values.length - 1)]

interface Case {
  x: [number, number, number, number]
  filter: [number, number, number, number]
  strides: [number, number]
  pad: 'same' | 'valid' | number | [[number, number], [number, number], [number, number], [number, number]]
  dilations: [number, number]
}

function randomCase(): Case {
  const channels = () => pick([1, 2, 3, 4, 5, 7, 8, 12, 16, 17, 32, 48])
  const size = [integer(1, 5), integer(1, 5)]
  const filter: Case['filter'] = [size[0], size[1], channels(), channels()]
  const strides: Case['strides'] = random.uniform() < 0.4 ? [1, 1] : [integer(1, 3), integer(1, 3)]
  const dilated = strides[0] * strides[1] === 1 && random.uniform() < 0.3
  const dilations: Case['dilations'] = dilated ? [integer(1, 2), integer(1, 3)] : [1, 1]
  const pad = pick<Case['pad']>([
    'same',
    'same',
    'valid',
    // tfjs takes a number for what keeps the size, whatever the dilation.
    dilated ? 'valid' : 1,
    [
      [0, 0],
      [integer(0, 2), integer(0, 2)],
      [integer(0, 2), integer(0, 2)],
      [0, 0],
    ],
  ])
  const extent = (i: number) => (size[i] - 1) * dilations[i] + 1
  const x: Case['x'] = [integer(1, 3), extent(0) + integer(0, 9), extent(1) + integer(0, 9), filter[2]]
  return { x, filter, strides, pad, dilations }
}

const numbers = (shape: number[]) =>
  tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.uniform() * 2 - 1),
    shape,
  )

const kernel = (name: string, inputs: tf.NamedTensorMap, attributes: object): tf.Tensor =>
  tf.engine().runKernel(name, inputs, { dataFormat: 'NHWC', ...attributes })

/** What a computation gives on both backends, from the same numbers.
 *
 * @param reference - wasm for large ones: it is tested against the cpu, and 50 times as fast
 */
async function compare(
  inputs: tf.Tensor[],
  compute: (...inputs: tf.Tensor[]) => tf.Tensor[],
  reference: 'cpu' | 'wasm' = 'cpu',
): Promise<void> {
  const values = inputs.map((input) => ({ shape: input.shape, data: input.dataSync() }))
  const run = async (backend: string) => {
    await useBackend(backend)
    const made = values.map(({ shape, data }) => tf.tensor(data, shape))
    const before = tf.memory().numTensors
    const results = tf.tidy(() => compute(...made))
    const out = await Promise.all(
      results.map(async (result) => ({ shape: result.shape, data: await result.data() })),
    )
    tf.dispose(results)
    expect(tf.memory().numTensors).toBe(before)
    tf.dispose(made)
    return out
  }
  const actual = await run('webgpu')
  const expected = await run(reference)
  for (const [i, { shape, data }] of actual.entries()) {
    expect(shape).toEqual(expected[i].shape)
    let worst = 0
    const exact = expected[i].data as Float32Array
    // What is rounded are the terms of a sum, which may be larger than the sum.
    const usual = Math.sqrt(exact.reduce((sum, value) => sum + value * value, 0) / exact.length)
    for (const [j, value] of exact.entries()) {
      const error = Math.abs(data[j] - value) / (1 + usual + Math.abs(value))
      // Not a number is wrong too.
      worst = error <= worst ? worst : error
    }
    expect(worst).toBeLessThan(2e-5)
  }
}

describe.skipIf(!webgpu)('convolutions on webgpu', () => {
  for (let i = 0; i < 40; i++) {
    const { x, filter, strides, pad, dilations } = randomCase()
    const name = `${x.join('x')} with ${filter.join('x')}, strides ${strides.join()}, pad ${JSON.stringify(pad)}, dilations ${dilations.join()}`
    it(`value: as on the cpu, ${name}`, async () => {
      await useBackend('cpu')
      const convolve = (a: tf.Tensor, b: tf.Tensor) =>
        tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, strides, pad, 'NHWC', dilations)
      const inputs = [numbers(x), numbers(filter)]
      const dy = numbers(tf.tidy(() => convolve(inputs[0], inputs[1])).shape)
      const plain = dilations[0] * dilations[1] === 1
      await compare([...inputs, dy], (a, b, c) => [
        convolve(a, b),
        ...(plain
          ? [
              kernel('Conv2DBackpropInput', { dy: c, filter: b }, { strides, pad, inputShape: x }),
              kernel('Conv2DBackpropFilter', { x: a, dy: c }, { strides, pad, filterShape: filter }),
            ]
          : []),
      ])
    })
  }

  const activations = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const
  it.each(activations)('value: fused with a bias and %s as on the cpu', async (activation) => {
    for (const [inChannels, outChannels] of [
      [3, 5],
      [16, 8],
    ]) {
      const inputs = [
        [2, 7, 6, inChannels],
        [3, 3, inChannels, outChannels],
        [outChannels],
        [outChannels],
      ].map(numbers)
      await compare(inputs, (x, filter, bias, slopes) => [
        tf.fused.conv2d({
          x,
          filter,
          bias,
          activation,
          strides: 1,
          pad: 'same',
          ...(activation === 'prelu' && { preluActivationWeights: slopes }),
          ...(activation === 'leakyrelu' && { leakyreluAlpha: 0.3 }),
        } as Parameters<typeof tf.fused.conv2d>[0]),
      ])
    }
  })

  it('value: gradients of depthwise convolutions as on the cpu', async () => {
    for (const [x, filter, strides, pad, dilations] of [
      [[2, 9, 8, 8], [3, 3, 8, 1], [1, 1], 'same', [1, 1]],
      [[2, 11, 9, 5], [3, 2, 5, 2], [2, 1], 'valid', [1, 1]],
      [[1, 12, 12, 4], [5, 4, 4, 1], [1, 1], 'same', [2, 1]],
      [[1, 7, 7, 33], [3, 3, 33, 1], [2, 2], 'same', [1, 1]],
    ] as [Case['x'], Case['filter'], Case['strides'], 'same' | 'valid', Case['dilations']][]) {
      await compare([numbers(x), numbers(filter)], (a, b) =>
        tf.grads((c: tf.Tensor, d: tf.Tensor) =>
          tf.sum(
            tf.square(
              tf.depthwiseConv2d(c as tf.Tensor4D, d as tf.Tensor4D, strides, pad, 'NHWC', dilations),
            ),
          ),
        )([a, b]),
      )
    }
  })

  it("value: many channels, in Winograd's basis, as on wasm", async () => {
    const shape = [2, 15, 16, 132]
    const inputs = [shape, [3, 3, 132, 128], [128], [2, 15, 16, 128]].map(numbers)
    const attributes = { strides: 1, pad: 'same' }
    const compute = (x: tf.Tensor, filter: tf.Tensor, bias: tf.Tensor, dy: tf.Tensor) => [
      tf.fused.conv2d({
        x: x as tf.Tensor4D,
        filter: filter as tf.Tensor4D,
        bias,
        activation: 'relu',
        strides: 1,
        pad: 'same',
      }),
      kernel('Conv2DBackpropInput', { dy, filter }, { ...attributes, inputShape: shape }),
      kernel('Conv2DBackpropFilter', { x, dy }, { ...attributes, filterShape: filter.shape }),
    ]
    await compare(inputs, compute as (...tensors: tf.Tensor[]) => tf.Tensor[], 'wasm')
  })

  it('value: a long sum of few results, split and finished', async () => {
    await compare([[1, 4, 4, 192], [3, 3, 192, 6], [6]].map(numbers), (x, filter, bias) => [
      tf.fused.conv2d({
        x: x as tf.Tensor4D,
        filter: filter as tf.Tensor4D,
        bias,
        activation: 'relu',
        strides: 1,
        pad: 'valid',
      }),
    ])
  })

  it('gradient: of a network of two layers as on the cpu', async () => {
    await compare(
      [
        [2, 9, 9, 3],
        [3, 3, 3, 8],
        [1, 1, 8, 6],
      ].map(numbers),
      (x, first, second) => {
        const loss = (a: tf.Tensor, b: tf.Tensor, c: tf.Tensor) =>
          tf.sum(
            tf.square(
              tf.conv2d(
                tf.relu(tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 2, 'same')) as tf.Tensor4D,
                c as tf.Tensor4D,
                2,
                'valid',
              ),
            ),
          )
        return tf.grads(loss)([x, first, second])
      },
    )
  })
})
