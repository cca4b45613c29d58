import * as tf from '@tensorflow/tfjs-core'
import { createRandom } from '@facekit/core'
import { batchNormalization, initEngine, readLossScale, scaledGradients } from '@facekit/engine'
import { compileAhead, convertGpuTensor, gpuMemoryType, recordStep } from '@facekit/kernels'
import { hasWebgpu, useBackend } from '@facekit/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const webgpu = await hasWebgpu()
const random = createRandom(11)

/** Numbers that are halves, few enough bits that sums of products are exact. */
const halves = (shape: number[]) =>
  Float32Array.from(
    { length: tf.util.sizeFromShape(shape) },
    () => Math.round(random.uniform() * 32 - 16) / 16,
  )

const kernel = (name: string, inputs: tf.NamedTensorMap, attributes: object): tf.Tensor =>
  tf.engine().runKernel(name, inputs, { dataFormat: 'NHWC', dilations: 1, ...attributes })

/** Of the engine's backend: WGSL in place of the matrix units that no software adapter has. */
interface Emulating extends tf.KernelBackend {
  device: GPUDevice
  matrixUnits: 'none' | 'emulated'
  mixed: boolean
}

const gpuOf = () => tf.backend() as Emulating

/** The same numbers, as halves in memory. */
function halved<T extends tf.Tensor>(x: T): T {
  const { dataId } = convertGpuTensor(gpuOf(), x, 'float16')
  return tf.engine().makeTensorFromDataId(dataId, x.shape, 'float32') as T
}

const isHalved = (x: tf.Tensor) => gpuMemoryType(gpuOf(), x) === 'float16'

/** Checks that numbers are the right ones, rounded to halves or not. */
function expectRounded(actual: ArrayLike<number>, expected: ArrayLike<number>, rounded: boolean): void {
  const share = rounded ? 2 ** -11 : 1e-6
  let worst = 0
  for (let i = 0; i < expected.length; i++) {
    const bound = share * Math.max(Math.abs(expected[i]), 0.01) + 1e-6
    worst = Math.max(worst, Math.abs(actual[i] - expected[i]) / bound)
  }
  expect(actual.length).toBe(expected.length)
  expect(worst).toBeLessThanOrEqual(1)
}

async function setMixed(on: boolean): Promise<void> {
  await useBackend('webgpu')
  gpuOf().matrixUnits = on ? 'emulated' : 'none'
  gpuOf().mixed = on
}

describe('precision of initEngine', () => {
  it('throws: for a name that it does not know', async () => {
    await expect(initEngine({ precision: 'half' as 'mixed' })).rejects.toThrow(
      'initEngine: precision is "half", expected "float32" or "mixed"',
    )
  })

  it('value: backends without matrix units compute in float32 and say why', async () => {
    const info = await initEngine({ backend: 'cpu', precision: 'mixed' })
    expect(info.precision).toBe('float32')
    expect(info.precisionReason).toBe('backend cpu computes in float32')
    const again = await initEngine({ precision: 'float32' })
    expect(again).toMatchObject({ backend: 'cpu', precision: 'float32' })
    expect(again.precisionReason).toBeUndefined()
  })
})

describe.skipIf(!webgpu)('mixed precision, its matrix units emulated', () => {
  beforeAll(() => setMixed(true))
  afterAll(() => setMixed(false))

  it('value: units are taken after products in both orders of each operand, and halves, are right', async () => {
    expect(await initEngine({ precision: 'mixed' })).toMatchObject({ backend: 'webgpu', precision: 'mixed' })
  })

  it('value: products of matrices of which one is a half in memory; of others they are float32', async () => {
    const [a, b] = [tf.tensor(halves([2, 24, 40]), [2, 24, 40]), tf.tensor(halves([40, 16]), [40, 16])]
    const results = tf.tidy(() => [
      tf.matMul(halved(a), tf.reshape(b, [1, 40, 16])),
      tf.matMul(a, tf.reshape(b, [1, 40, 16])),
    ])
    expect(results.map(isHalved)).toEqual([false, false])
    const [half, float] = await Promise.all(results.map((result) => result.data()))
    expectRounded(half, float, false)
    tf.dispose([a, b, results])
  })

  it.each([
    { x: [2, 9, 7, 64], filter: [1, 1, 64, 40], stride: 1, pad: 'same' },
    { x: [1, 10, 9, 16], filter: [3, 3, 16, 24], stride: 1, pad: 'same' },
    { x: [2, 11, 8, 24], filter: [3, 2, 24, 8], stride: 2, pad: 'valid' },
    { x: [1, 13, 12, 3], filter: [7, 7, 3, 16], stride: 2, pad: 'same' },
    { x: [2, 8, 6, 32], filter: [1, 1, 32, 16], stride: 2, pad: 'same' },
  ] as const)('value: convolution of $x by $filter, stride $stride', async ({ x, filter, stride, pad }) => {
    const shapes = { x: [...x], filter: [...filter] } as unknown as Record<
      'x' | 'filter',
      [number, number, number, number]
    >
    const { outShape } = tf.backend_util.computeConv2DInfo(shapes.x, shapes.filter, stride, 1, pad)
    const values = { x: halves(shapes.x), filter: halves(shapes.filter), dy: halves(outShape) }
    const run = async (check: (results: tf.Tensor[]) => void) => {
      const [a, f, dy] = [
        tf.tensor(values.x, shapes.x),
        tf.tensor(values.filter, shapes.filter),
        tf.tensor(values.dy, outShape),
      ]
      const before = tf.memory().numTensors
      const attributes = { strides: [stride, stride], pad }
      const results = [
        kernel('Conv2D', { x: a, filter: f }, attributes),
        kernel('Conv2DBackpropInput', { dy, filter: f }, { ...attributes, inputShape: shapes.x }),
        kernel('Conv2DBackpropFilter', { x: a, dy }, { ...attributes, filterShape: shapes.filter }),
      ]
      check(results)
      const data = await Promise.all(results.map((result) => result.data()))
      tf.dispose(results)
      expect(tf.memory().numTensors).toBe(before)
      tf.dispose([a, f, dy])
      return data
    }
    await useBackend('cpu')
    const expected = await run(() => {})
    await setMixed(true)
    const stored = [true, shapes.x[3] % 8 === 0, false]
    const actual = await run((results) => expect(results.map(isHalved)).toEqual(stored))
    for (const [i, data] of actual.entries()) expectRounded(data, expected[i], stored[i])
  })

  it('value: what comes of halves is halves, and the same numbers', async () => {
    const x = halved(tf.tensor4d(halves([2, 6, 6, 16]), [2, 6, 6, 16]))
    const y = halved(tf.tensor4d(halves([2, 6, 6, 16]), [2, 6, 6, 16]))
    const row = (values: number) => tf.fill([16], values) as tf.Tensor1D
    const operations: Record<string, (x: tf.Tensor4D, y: tf.Tensor4D) => tf.Tensor> = {
      relu: (x) => tf.relu(x),
      relu6: (x) => tf.relu6(x),
      sum: (x, y) => tf.add(x, y),
      maximum: (x) => tf.maxPool(x, 3, 2, 'same'),
      average: (x) => tf.avgPool(x, 2, 2, 'valid'),
      padding: (x) => tf.pad(x, [[0, 0], [12, 12], [12, 12], [0, 0]]), // prettier-ignore
      batchNorm: (x) => tf.batchNorm4d(x, row(0.1), row(0.5), row(0.2), row(1.5), 1e-3),
      normalization: (x, y) =>
        batchNormalization(x, row(1.5), row(0.2), { residual: y, activation: 'relu' }).output,
      'gradient of relu': (x, y) => tf.grad((x: tf.Tensor) => tf.relu(x))(x, y),
      'gradient of maximum': (x) => tf.grad((x: tf.Tensor) => tf.maxPool(x as tf.Tensor4D, 3, 2, 'same'))(x),
      'gradient of normalization': (x, y) =>
        tf.grad(
          (x: tf.Tensor) =>
            batchNormalization(x as tf.Tensor4D, row(1.5), row(0.2), { residual: y, activation: 'relu' })
              .output,
        )(x, y),
    }
    for (const [name, run] of Object.entries(operations)) {
      const result = tf.tidy(() => run(x, y))
      const floats = tf.tidy(() => {
        const [a, b] = [x, y].map((tensor) => {
          const { dataId } = convertGpuTensor(gpuOf(), tensor, 'float32')
          return tf.engine().makeTensorFromDataId(dataId, tensor.shape, 'float32') as tf.Tensor4D
        })
        return run(a, b)
      })
      expect({ name, halves: [isHalved(result), isHalved(floats)] }).toEqual({ name, halves: [true, false] })
      expectRounded(await result.data(), await floats.data(), true)
      tf.dispose([result, floats])
    }
    tf.dispose([x, y])
  })

  it('value: kernels that know no halves are given float32', async () => {
    const values = halves([4, 16])
    const x = halved(tf.tensor2d(values, [4, 16]))
    const results = tf.tidy(() => [
      tf.sin(x),
      tf.transpose(x),
      tf.mean(x, 1),
      tf.softmax(x),
      tf.cast(x, 'int32'),
    ])
    expect(results.map(isHalved)).toEqual(results.map(() => false))
    const [sines, turned, means] = await Promise.all(results.map((result) => result.data()))
    expectRounded(sines, values.map(Math.sin), false)
    expect(turned[1]).toBe(values[16])
    expect(means[1]).toBeCloseTo(values.subarray(16, 32).reduce((sum, value) => sum + value, 0) / 16, 5)
    tf.dispose([x, results])
  })

  it('value: a training step, recorded, learns what it learns in float32', async () => {
    const run = async () => {
      const filter = tf.variable(
        tf.randomNormal([3, 3, 8, 8], 0, 0.2, 'float32', 3),
      ) as tf.Variable<tf.Rank.R4>
      const [scale, offset] = [
        tf.variable(tf.ones([8])),
        tf.variable(tf.zeros([8])),
      ] as tf.Variable<tf.Rank.R1>[]
      const x = tf.randomNormal([2, 8, 8, 8], 0, 1, 'float32', 4) as tf.Tensor4D
      const optimizer = tf.train.adam(0.02)
      const variables = [filter, scale, offset] as tf.Variable[]
      const step = recordStep(() =>
        optimizer.minimize(
          () => {
            const y = batchNormalization(tf.conv2d(x, filter, 1, 'same'), scale, offset, {
              activation: 'relu',
              residual: x,
            })
            return tf.mean(tf.square(tf.mean(y.output, [1, 2])))
          },
          true,
          variables,
        )!,
      )
      const losses: number[] = []
      for (let i = 0; i < 6; i++) {
        const loss = step()
        losses.push((await loss.data())[0])
        loss.dispose()
      }
      step.dispose()
      optimizer.dispose()
      tf.dispose([x, variables])
      return losses
    }
    const mixed = await run()
    gpuOf().mixed = false
    const float = await run()
    gpuOf().mixed = true
    for (const [i, loss] of mixed.entries()) expect(Math.abs(loss / float[i] - 1)).toBeLessThan(5e-3)
    expect(mixed[5]).toBeLessThan(0.9 * mixed[0])
  })

  it('value: gradients that are not finite change nothing, halve the scale and are counted', async () => {
    const weights = tf.variable(tf.ones([8, 8]))
    const optimizer = tf.train.adam(0.1)
    const step = recordStep((x: tf.Tensor) =>
      optimizer.minimize(
        () => tf.mean(tf.square(tf.matMul(x as tf.Tensor2D, weights as tf.Tensor2D))),
        true,
        [weights],
      )!,
    )
    const [x, huge] = [tf.ones([4, 8]), tf.fill([4, 8], 1e30)]
    const before = (await readLossScale()) ?? { scale: 2 ** 16, skipped: 0 }
    const seen: number[] = []
    for (const input of [x, huge, x, x, huge, x]) {
      step(input).dispose()
      seen.push((await weights.data())[0])
    }
    const { scale, skipped } = (await readLossScale())!
    expect(skipped - before.skipped).toBe(2)
    expect(scale).toBe(before.scale / 4)
    expect([seen[1], seen[4]]).toEqual([seen[0], seen[3]])
    // As Adam without the steps in between: about its rate each time.
    expect(seen[5]).toBeCloseTo(0.6, 2)
    optimizer.dispose()
    step.dispose()
    tf.dispose([x, huge, weights])
  })

  it('value: a step whose programs were compiled ahead begins where it would have begun', async () => {
    const run = async (ahead: boolean) => {
      const filter = tf.variable(tf.fill([1, 1, 8, 8], 0.1)) as tf.Variable<tf.Rank.R4>
      const x = tf.randomNormal([1, 5, 3, 8], 0, 1, 'float32', 9) as tf.Tensor4D
      const optimizer = tf.train.sgd(0.5)
      const step = () =>
        optimizer.minimize(() => tf.mean(tf.square(tf.relu6(tf.conv2d(x, filter, 1, 'valid')))), true, [
          filter,
        ])!
      const { device } = gpuOf()
      const count = ahead ? await compileAhead(device, () => step().dispose()) : 0
      step().dispose()
      const values = await filter.data()
      tf.dispose([x, filter])
      return { values: [...values], count }
    }
    const ahead = await run(true)
    expect(ahead.count).toBeGreaterThan(0)
    expect(ahead.values).toEqual((await run(false)).values)
    expect(ahead.values[0]).not.toBeCloseTo(0.1, 5)
  })

  it('memory: gradients that are scaled leave nothing behind', async () => {
    const weights = tf.variable(tf.ones([3]))
    scaledGradients(() => tf.sum(weights), [weights]).value.dispose()
    const before = tf.memory().numTensors
    const { value, grads } = scaledGradients(() => tf.sum(tf.square(weights)), [weights])
    expect([...(await grads[weights.name].data())]).toEqual([2, 2, 2])
    tf.dispose([value, grads])
    expect(tf.memory().numTensors).toBe(before)
    tf.dispose(weights)
  })
})
