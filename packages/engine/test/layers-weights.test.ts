import { ModelFormatError, writeSafetensors } from '@facekit/core'
import { layersWeights, loadLayersWeights, saveLayersWeights } from '@facekit/engine'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'

const network = (filters = 3, seed = 1) => {
  const input = tfl.input({ shape: [8, 8, 3] })
  const initializer = tfl.initializers.heNormal({ seed })
  let x = tfl.layers
    .conv2d({ name: 'stem', filters, kernelSize: 3, kernelInitializer: initializer })
    .apply(input) as tfl.SymbolicTensor
  x = tfl.layers.batchNormalization({ name: 'norm' }).apply(x) as tfl.SymbolicTensor
  x = tfl.layers.globalAveragePooling2d({ name: 'pool' } as never).apply(x) as tfl.SymbolicTensor
  return tfl.model({ inputs: input, outputs: x })
}

beforeAll(async () => {
  await tf.setBackend('cpu')
})

describe('layers weights', () => {
  it('smoke: names are those of layers and variables, in every copy of the network', () => {
    const names = (model: tfl.LayersModel) => layersWeights(model).map(({ name }) => name)
    const expected = [
      'stem/kernel',
      'stem/bias',
      'norm/gamma',
      'norm/beta',
      'norm/moving_mean',
      'norm/moving_variance',
    ]
    expect(names(network())).toEqual(expected)
    expect(names(network())).toEqual(expected)
    expect(layersWeights(network()).map(({ trainable }) => trainable)).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
    ])
  })

  it('value: in 8 bits a quarter as large, filters and matrices off by half a step of their channel at most', async () => {
    const [from, to] = [network(32, 1), network(32, 2)]
    // Channels of very different sizes must not share a scale.
    const [kernel] = layersWeights(from)
    kernel.write(
      tf.mul(
        kernel.value,
        Array.from({ length: 32 }, (_, c) => 10 ** ((c % 4) - 2)),
      ),
    )
    const bytes = await saveLayersWeights(from, { precision: 'int8' })
    expect(bytes.length).toBeLessThan(0.6 * (await saveLayersWeights(from)).length)
    loadLayersWeights(to, bytes)
    const [a, b] = [from, to].map((model) => layersWeights(model)[0].value.dataSync())
    for (let c = 0; c < 32; c++) {
      const channel = (values: ArrayLike<number>) => Array.from(values).filter((_, i) => i % 32 === c)
      const largest = Math.max(...channel(a).map(Math.abs))
      const off = channel(a).map((value, i) => Math.abs(value - channel(b)[i]))
      expect(Math.max(...off)).toBeLessThanOrEqual((0.501 * largest) / 127)
    }
    // Vectors are kept whole.
    expect(layersWeights(to)[1].value.dataSync()).toEqual(layersWeights(from)[1].value.dataSync())
  })

  it('throws: weights of 8 bits without their scales', () => {
    const data = new Uint8Array(3 * 3 * 3 * 3)
    const entries = new Map([['stem/kernel', { shape: [3, 3, 3, 3], data }]])
    expect(() => loadLayersWeights(network(), writeSafetensors({ metadata: {}, tensors: entries }))).toThrow(
      /"stem\/kernel" of 8 bits has no scales/,
    )
  })

  it('value: a second network gives the same output after the round trip', async () => {
    const [from, to] = [network(3, 1), network(3, 2)]
    layersWeights(from)
      .at(-2)!
      .write(tf.tensor1d([0.5, -0.25, 2]))
    const x = tf.randomNormal([2, 8, 8, 3], 0, 1, 'float32', 3)
    const before = await (to.predict(x) as tf.Tensor).data()
    const bytes = await saveLayersWeights(from, { metadata: { licence: 'MIT' } })
    expect(loadLayersWeights(to, bytes)).toEqual({ licence: 'MIT' })
    const [a, b] = [await (from.predict(x) as tf.Tensor).data(), await (to.predict(x) as tf.Tensor).data()]
    expect(b).toEqual(a)
    expect(b).not.toEqual(before)
    expect(await saveLayersWeights(to, { metadata: { licence: 'MIT' } })).toEqual(bytes)
  })

  it('value: half precision takes half of the bytes and keeps three digits', async () => {
    const [from, to] = [network(64, 1), network(64, 2)]
    const [whole, half] = [
      await saveLayersWeights(from),
      await saveLayersWeights(from, { precision: 'float16' }),
    ]
    expect(half.length).toBeLessThan(0.6 * whole.length)
    loadLayersWeights(to, half)
    const [a, b] = [from, to].map((model) => layersWeights(model)[0].value.dataSync())
    for (let i = 0; i < a.length; i++)
      expect(Math.abs(b[i] - a[i])).toBeLessThan(1e-3 * Math.abs(a[i]) + 1e-6)
  })

  it('throws: what does not fit is named, and nothing has changed', async () => {
    const [small, large] = [network(3), network(4)]
    const before = layersWeights(large).map(({ value }) => Array.from(value.dataSync()))
    const load = (bytes: Uint8Array) => () => loadLayersWeights(large, bytes, 'loadX: x.safetensors')
    const bytes = await saveLayersWeights(small)
    expect(load(bytes)).toThrow(ModelFormatError)
    expect(load(bytes)).toThrow(
      /loadX: x\.safetensors: weight "stem\/kernel" is \[3, 3, 3, 3\].* needs \[3, 3, 3, 4\]/,
    )
    expect(load(writeSafetensors({ metadata: {}, tensors: new Map() }))).toThrow(
      /"stem\/kernel" .* is missing/,
    )
    const entries = (edit: (name: string, data: Float32Array) => void) =>
      new Map(
        layersWeights(large).map(({ name, value }) => {
          const data = Float32Array.from(value.dataSync())
          edit(name, data)
          return [name, { shape: value.shape, data }] as const
        }),
      )
    const broken = entries((name, data) => void (name === 'norm/beta' && (data[1] = NaN)))
    expect(load(writeSafetensors({ metadata: {}, tensors: broken }))).toThrow(
      /"norm\/beta" holds values that are no numbers/,
    )
    const extra = entries(() => {}).set('head/kernel', { shape: [1], data: new Float32Array(1) })
    expect(load(writeSafetensors({ metadata: {}, tensors: extra }))).toThrow(/"head\/kernel" is unknown/)
    expect(layersWeights(large).map(({ value }) => Array.from(value.dataSync()))).toEqual(before)
  })

  it('memory: saving and loading leave no tensors', async () => {
    const model = network()
    const before = tf.memory().numTensors
    loadLayersWeights(model, await saveLayersWeights(model))
    expect(tf.memory().numTensors).toBe(before)
  })
})
