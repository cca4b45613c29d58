import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '@facekit/core'
import { assertHealthy } from '@facekit/engine'
import { checkGradient, expectNoLeak, hasWebgpu, testBackends, useBackend } from '@facekit/testing'

// What tfjs does by itself, before initEngine has changed anything.
await tf.setBackend('cpu')
const random = createRandom(31)
const normals = (size: number, mean = 0) => Float32Array.from({ length: size }, () => random.normal(mean))
const shape = [3, 4, 2, 5]
const data = { x: normals(120, 1), dy: normals(120), target: normals(120) }

interface Run {
  outputs: Float32Array[]
  weights: Record<string, Float32Array>
  config: unknown
}

/** Trains a layer for three steps, then runs it for inference. */
async function train(options: Parameters<typeof layers.layers.batchNormalization>[0]): Promise<Run> {
  const layer = layers.layers.batchNormalization({ ...options, momentum: 0.8 })
  const x = tf.tensor(data.x, shape)
  layer.apply(x)
  const trainable = layer.trainableWeights.map((weight) => weight.read() as tf.Variable)
  const optimizer = tf.train.sgd(0.1)
  const outputs: Float32Array[] = []
  for (let i = 0; i < 3; i++) {
    const step = () => {
      const y = layer.apply(x, { training: true }) as tf.Tensor
      return tf.mean(tf.square(tf.sub(y, tf.tensor(data.target, shape)))) as tf.Scalar
    }
    const loss = optimizer.minimize(step, true, trainable)!
    outputs.push((await loss.data()) as Float32Array)
  }
  outputs.push((await (layer.apply(x) as tf.Tensor).data()) as Float32Array)
  const weights: Run['weights'] = {}
  for (const weight of layer.weights) {
    weights[weight.originalName.split('/').at(-1)!] = (await weight.read().data()) as Float32Array
  }
  const config = { ...layer.getConfig(), name: '' }
  layer.dispose()
  optimizer.dispose()
  return { outputs, weights, config }
}

const options = [{}, { axis: 3, epsilon: 0.1 }]
const expected = await Promise.all(options.map((option) => train(option)))
const webgpu = await hasWebgpu()

const expectClose = (actual: ArrayLike<number>, wanted: ArrayLike<number>, digits = 5) => {
  expect(actual.length).toBe(wanted.length)
  for (let i = 0; i < actual.length; i++) expect(actual[i]).toBeCloseTo(wanted[i], digits)
}

describe.each([...testBackends, 'device', ...(webgpu ? ['webgpu'] : [])])('batch norm on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it('value: the layer of tfjs-layers trains as it did before', async () => {
    for (const [i, option] of options.entries()) {
      const run = await train(option)
      for (const [k, output] of run.outputs.entries()) expectClose(output, expected[i].outputs[k], 4)
      expect(Object.keys(run.weights)).toEqual(Object.keys(expected[i].weights))
      for (const [name, values] of Object.entries(run.weights))
        expectClose(values, expected[i].weights[name], 4)
      expect(run.config).toEqual(expected[i].config)
    }
    await assertHealthy()
  })

  it('value: a layer trains over another axis than the last', async () => {
    const layer = layers.layers.batchNormalization({ axis: 1 })
    const x = tf.tensor(data.x, shape)
    const gradient = tf.grad((x) => layer.apply(x, { training: true }) as tf.Tensor)(
      x,
      tf.tensor(data.dy, shape),
    )
    for (const value of await tf.sum(gradient, [0, 2, 3]).data()) expect(value).toBeCloseTo(0, 4)
    layer.dispose()
  })

  it('value: a layer without scale and offset trains, too', async () => {
    if (backend === 'device') return
    const layer = layers.layers.batchNormalization({ scale: false, center: false })
    const y = layer.apply(tf.tensor(data.x, shape), { training: true }) as tf.Tensor
    const { mean, variance } = tf.moments(y, [0, 1, 2])
    expectClose(await mean.data(), [0, 0, 0, 0, 0], 5)
    for (const value of await variance.data()) expect(Math.abs(value - 1)).toBeLessThan(0.01)
    layer.dispose()
  })

  it('gradient: of tf.batchNorm in all inputs', async () => {
    const [mean, variance, offset, scale] = [
      tf.tensor1d(normals(5)),
      tf.tensor1d(normals(5).map((v) => 0.5 + Math.abs(v))),
      tf.tensor1d(normals(5)),
      tf.tensor1d(normals(5, 2)),
    ]
    const f = (x: tf.Tensor, m: tf.Tensor, v: tf.Tensor, o: tf.Tensor, s: tf.Tensor) =>
      tf.batchNorm(x as tf.Tensor4D, m as tf.Tensor1D, v as tf.Tensor1D, o as tf.Tensor1D, s as tf.Tensor1D)
    const x = tf.tensor(data.x, shape)
    await checkGradient(f as (...inputs: tf.Tensor[]) => tf.Tensor, [x, mean, variance, offset, scale])
    // Statistics for each row, where stock tfjs throws, or takes others.
    const rows = [mean, variance, offset, scale].map((tensor) =>
      tf.reshape(tf.slice(tensor, 0, 4), [1, 4, 1, 1]),
    )
    if (backend !== 'device') await checkGradient(f as (...inputs: tf.Tensor[]) => tf.Tensor, [x, ...rows])
    // Statistics for each number.
    const each = [
      x,
      tf.tensor(normals(120), shape),
      tf.tensor(
        normals(120).map((v) => 0.5 + v * v),
        shape,
      ),
    ]
    await checkGradient(
      (x, m, v) =>
        tf.batchNorm(
          x as tf.Tensor4D,
          m as tf.Tensor4D,
          v as tf.Tensor4D,
          tf.zerosLike(x) as tf.Tensor4D,
          tf.onesLike(x) as tf.Tensor4D,
        ),
      each,
    )
  })

  it('gradient: of tf.batchNorm without scale, offset, or both', async () => {
    if (backend === 'device') return
    const [mean, variance] = [tf.tensor1d(normals(5)), tf.tensor1d(normals(5).map((v) => 0.5 + Math.abs(v)))]
    const [offset, scale] = [tf.tensor1d(normals(5)), tf.tensor1d(normals(5, 2))]
    const x = tf.tensor4d(data.x, shape as [number, number, number, number])
    const inputs = [x, mean, variance]
    const run = (offset?: tf.Tensor1D, scale?: tf.Tensor1D) => (x: tf.Tensor, m: tf.Tensor, v: tf.Tensor) =>
      tf.batchNorm(x as tf.Tensor4D, m as tf.Tensor1D, v as tf.Tensor1D, offset, scale)
    await checkGradient(run(), inputs)
    await checkGradient(run(offset), inputs)
    await checkGradient(run(undefined, scale), inputs)
    await expectNoLeak(() => tf.tidy(() => void tf.batchNorm(x, mean, variance)))
    tf.batchNorm(x, mean, variance).dispose()
    tf.dispose([...inputs, offset, scale])
  })

  it('value: tf.batchNorm of two to four axes, without scale or offset', async () => {
    for (const size of [[24, 5], [6, 4, 5], shape]) {
      const run = async () => {
        const x = tf.tensor(data.x, size)
        const [mean, variance, scale] = [tf.range(0, 5), tf.range(1, 6), tf.range(2, 7)]
        const results = [
          tf.batchNorm(x as tf.Tensor4D, mean, variance),
          tf.batchNorm(x as tf.Tensor4D, mean, variance, scale, undefined, 0.1),
          tf.batchNorm(x as tf.Tensor4D, mean, variance, undefined, scale),
          tf.batchNorm(x as tf.Tensor4D, mean, variance, mean, scale),
        ]
        return Promise.all(results.map((result) => result.data()))
      }
      const actual = await run()
      await useBackend('cpu')
      const wanted = await run()
      await useBackend(backend)
      for (const [i, values] of actual.entries()) expectClose(values, wanted[i])
    }
  })

  it('memory: a training step leaves nothing behind', async () => {
    const layer = layers.layers.batchNormalization()
    const x = tf.tensor(data.x, shape)
    await expectNoLeak(() =>
      tf.tidy(() => {
        tf.grad((x) => layer.apply(x, { training: true }) as tf.Tensor)(x)
      }),
    )
    layer.dispose()
    x.dispose()
  })
})
