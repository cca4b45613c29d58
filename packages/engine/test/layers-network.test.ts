import { initEngine, recordStep } from '@facekit/engine'
import { hasWebgpu } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { afterAll, describe, expect, it } from 'vitest'

const SIZE = 16

/** One of each layer that networks for pictures have. */
function network(): tfl.LayersModel {
  const input = tfl.input({ shape: [SIZE, SIZE, 3] })
  let seed = 0
  const initializer = () => tfl.initializers.heNormal({ seed: ++seed })
  const apply = (layer: { apply(x: never): unknown }, x: unknown) =>
    layer.apply(x as never) as tfl.SymbolicTensor
  const convolve = (name: string, filters: number, x: unknown) => {
    const layer = { filters, kernelSize: 3, padding: 'same', useBias: false } as const
    const y = apply(tfl.layers.conv2d({ ...layer, name, kernelInitializer: initializer() } as never), x)
    const z = apply(tfl.layers.batchNormalization({ name: `${name}_norm`, momentum: 0.9 }), y)
    return apply(tfl.layers.activation({ name: `${name}_relu`, activation: 'relu' }), z)
  }
  const fine = convolve('fine', 8, input)
  const coarse = convolve('coarse', 12, apply(tfl.layers.maxPooling2d({ name: 'pool', poolSize: 2 }), fine))
  const depthwise = { kernelSize: 3, padding: 'same', depthwiseInitializer: initializer() } as const
  const separate = apply(tfl.layers.depthwiseConv2d({ ...depthwise, name: 'depthwise' } as never), coarse)
  const bent = apply(tfl.layers.prelu({ name: 'prelu', sharedAxes: [1, 2] }), separate)
  const up = (name: string, interpolation: string, x: unknown) =>
    apply(tfl.layers.upSampling2d({ name, size: [2, 2], interpolation } as never), x)
  const transposed = { filters: 8, kernelSize: 2, strides: 2, kernelInitializer: initializer() } as const
  const parts = [
    fine,
    up('nearest', 'nearest', bent),
    up('bilinear', 'bilinear', coarse),
    apply(tfl.layers.conv2dTranspose({ ...transposed, name: 'transposed' } as never), coarse),
  ]
  const joined = convolve('joined', 8, apply(tfl.layers.concatenate({ name: 'parts' }), parts))
  const classes = { filters: 5, kernelSize: 1, kernelInitializer: initializer() } as const
  const output = apply(tfl.layers.conv2d({ ...classes, name: 'classes' } as never), joined)
  return tfl.model({ inputs: input, outputs: output })
}

/** Losses of a few recorded steps, and of the trained network with its moving averages. */
async function train(backend: 'cpu' | 'wasm' | 'webgpu'): Promise<number[]> {
  await initEngine({ backend })
  const model = network()
  const optimizer = tf.train.adam(1e-2)
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable)
  const crossEntropy = (y: tf.Tensor, training: boolean, x: tf.Tensor) =>
    tf.neg(
      tf.mean(tf.sum(tf.mul(y, tf.logSoftmax(model.apply(x, { training }) as tf.Tensor)), -1)),
    ) as tf.Scalar
  const step = recordStep((x: tf.Tensor, y: tf.Tensor) =>
    optimizer.minimize(() => crossEntropy(y, true, x), true, variables)!,
  )
  const [x, y] = tf.tidy(() => {
    const pixels = tf.randomNormal([2, SIZE, SIZE, 3], 0, 1, 'float32', 3)
    const red = tf.reshape(tf.slice(pixels, [0, 0, 0, 0], [2, SIZE, SIZE, 1]), [2, SIZE, SIZE])
    const labels = tf.clipByValue(tf.round(tf.add(red, 2)), 0, 4)
    return [pixels, tf.cast(tf.oneHot(tf.cast(labels, 'int32'), 5), 'float32')]
  })
  const losses: number[] = []
  for (let i = 0; i < 5; i++) {
    const loss = step(x, y)
    losses.push((await loss.data())[0])
    loss.dispose()
  }
  const trained = tf.tidy(() => crossEntropy(y, false, x))
  losses.push((await trained.data())[0])
  step.dispose()
  optimizer.dispose()
  model.dispose()
  tf.dispose([x, y, trained])
  return losses
}

const webgpu = await hasWebgpu()

describe('a network of tfjs-layers', () => {
  let expected: Promise<number[]> | undefined
  const reference = () => (expected ??= train('cpu'))
  afterAll(async () => void (await initEngine({ backend: 'cpu' })))

  const compare = async (backend: 'wasm' | 'webgpu') => {
    const [wanted, losses] = [await reference(), await train(backend)]
    expect(wanted.at(-2)!).toBeLessThan(wanted[0])
    for (const [i, loss] of losses.entries()) expect(loss).toBeCloseTo(wanted[i], 3)
  }

  it('value: trains on wasm as on the CPU', () => compare('wasm'))
  it.skipIf(!webgpu)('value: trains on webgpu as on the CPU', () => compare('webgpu'))
})
