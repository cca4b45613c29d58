import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BackendError } from '@facekit/core'
import { assertHealthy, initEngine, recordStep } from '@facekit/engine'
import { hasWebgpu, useBackend } from '@facekit/testing'

const webgpu = await hasWebgpu()
const backends = webgpu ? ['cpu', 'wasm', 'webgpu'] : ['cpu', 'wasm']

/** Losses of a small network that is trained for a few steps. */
async function train(backend: string, recorded: boolean, optimizer: () => tf.Optimizer): Promise<number[]> {
  await useBackend(backend)
  const random = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 0.5, 'float32', seed)
  const w1 = tf.variable(random([4, 8], 1))
  const w2 = tf.variable(random([8, 2], 2))
  const adam = optimizer()
  const run = (x: tf.Tensor2D, y: tf.Tensor2D) =>
    adam.minimize(
      () => {
        const hidden = tf.relu(tf.matMul(x, w1 as tf.Tensor2D))
        return tf.mean(tf.square(tf.sub(tf.matMul(hidden, w2 as tf.Tensor2D), y)))
      },
      true,
      [w1, w2],
    )!
  const step = recordStep(run)
  const losses: number[] = []
  for (let i = 0; i < 8; i++) {
    const x = random([6, 4], 10 + i) as tf.Tensor2D
    const y = random([6, 2], 50 + i) as tf.Tensor2D
    const loss = recorded ? step(x, y) : tf.tidy(() => run(x, y))
    losses.push((await loss.data())[0])
    tf.dispose([x, y, loss])
  }
  step.dispose()
  adam.dispose()
  tf.dispose([w1, w2])
  return losses
}

const optimizers = {
  adam: () => tf.train.adam(0.05),
  sgd: () => tf.train.sgd(0.1),
  momentum: () => tf.train.momentum(0.1, 0.9),
}

describe.each(backends)('recordStep on %s', (backend) => {
  it.each(Object.entries(optimizers))('value: %s trains as it does without', async (_, optimizer) => {
    const plain = await train(backend, false, optimizer)
    const recorded = await train(backend, true, optimizer)
    recorded.forEach((loss, i) => expect(loss).toBeCloseTo(plain[i], 5))
    expect(new Set(recorded).size).toBe(recorded.length)
  })
})

describe.skipIf(!webgpu)('recordStep on webgpu', () => {
  beforeAll(() => useBackend('webgpu'))
  afterAll(() => initEngine({ backend: 'cpu' }))

  const read = async (tensor: tf.Tensor) => Array.from(await tensor.data())

  it('value: new inputs, values of its own for every call, other shapes', async () => {
    const factor = tf.tensor1d([2])
    const step = recordStep((x: tf.Tensor1D) => ({ twice: tf.mul(x, factor), sum: [tf.sum(x)] }))
    const results: { twice: tf.Tensor; sum: tf.Tensor[] }[] = []
    for (let i = 0; i < 6; i++) {
      const size = i === 4 ? 2 : 3
      results.push(step(tf.fill([size], i) as tf.Tensor1D))
    }
    for (const [i, { twice, sum }] of results.entries()) {
      expect(await read(twice)).toEqual(Array(i === 4 ? 2 : 3).fill(2 * i))
      expect(await read(sum[0])).toEqual([(i === 4 ? 2 : 3) * i])
    }
    step.dispose()
  })

  it('value: variables assigned between calls, and by the step', async () => {
    const count = tf.variable(tf.scalar(0))
    const step = recordStep((x: tf.Scalar) => {
      count.assign(tf.add(count, x))
      return tf.mul(count, 10)
    })
    const seen: number[] = []
    for (let i = 0; i < 7; i++) {
      if (i === 5) count.assign(tf.scalar(100))
      const result = step(tf.scalar(1))
      seen.push((await read(result))[0])
      result.dispose()
    }
    expect(seen).toEqual([10, 20, 30, 40, 50, 1010, 1020])
    expect(await read(count)).toEqual([102])
    count.dispose()
    step.dispose()
  })

  it('value: tensors from outside may be disposed of afterwards', async () => {
    const step = recordStep((x: tf.Tensor1D) => tf.add(tf.mul(x, x), 1))
    let last: tf.Tensor | undefined
    for (let i = 0; i < 5; i++) {
      const x = tf.fill([1000], i) as tf.Tensor1D
      last?.dispose()
      last = step(x)
      x.dispose()
      tf.fill([1000], -7).dispose()
    }
    expect((await read(last!))[999]).toBe(17)
    step.dispose()
    expect((await read(last!))[0]).toBe(17)
  })

  it('value: few numbers, which tfjs computes with on the CPU where it can, with a constant of the step', async () => {
    const factors = tf.tensor1d([1, 2, 3])
    const offset = tf.scalar(10)
    const step = recordStep((x: tf.Tensor1D) => tf.add(tf.mul(tf.slice(x, [1], [1]), factors), offset))
    for (let i = 0; i < 5; i++) {
      const x = tf.tensor1d([0, i])
      const result = step(x)
      expect(await read(result)).toEqual([10 + i, 10 + 2 * i, 10 + 3 * i])
      tf.dispose([x, result])
    }
    step.dispose()
    tf.dispose([factors, offset])
  })

  it('throws: numbers that change between calls', async () => {
    let rate = 1
    const step = recordStep((x: tf.Scalar) => tf.mul(x, tf.scalar((rate *= 0.5))))
    const x = tf.scalar(1)
    step(x)
    step(x)
    expect(() => step(x)).toThrow(BackendError)
    expect(() => step(x)).toThrow(/upload of \[\] gets other numbers/)
    // tfjs goes on as before.
    expect(await read(tf.add(x, 1))).toEqual([2])
  })

  it.each([4, 5, 7, 20])('throws: a number that first changes at call %i', async (change) => {
    let rate = 2
    const step = recordStep((x: tf.Scalar) => tf.mul(x, tf.scalar(rate)))
    const x = tf.scalar(1)
    const calls: number[] = []
    const loop = () => {
      for (let i = 1; i <= 64; i++) {
        if (i === change) rate = 3
        calls.push(i)
        step(x).dispose()
      }
    }
    expect(loop).toThrow(/^recordStep: upload of \[\] gets other numbers than were recorded.*; give the step/)
    // Checks are at replays 1, 2, 4, 8, ..., of which the first is call 4.
    expect(calls.length - 3).toBe(2 ** Math.ceil(Math.log2(change - 3)))
    expect(await read(tf.add(x, 1))).toEqual([2])
    step.dispose()
    x.dispose()
  })

  it('value: numbers among the inputs are recorded each by itself', async () => {
    const step = recordStep((x: tf.Scalar, rate: number) => tf.mul(x, tf.scalar(rate)))
    for (let i = 0; i < 60; i++) {
      // A few that stay for a while, then a new one each time.
      const rate = i < 30 ? Math.floor(i / 10) : i
      const x = tf.scalar(i)
      const result = step(x, rate)
      expect(await read(result)).toEqual([i * rate])
      tf.dispose([x, result])
    }
    const before = tf.memory().numTensors
    step.dispose()
    expect(tf.memory().numTensors).toBeLessThan(before)
  })

  it('throws: reading a tensor in the step', async () => {
    const step = recordStep((x: tf.Scalar) => {
      const y = tf.add(x, 1)
      try {
        y.dataSync()
      } finally {
        y.dispose()
      }
      return x
    })
    const x = tf.scalar(1)
    const thrice = () => [1, 2, 3].map(() => step(x))
    expect(thrice).toThrow(BackendError)
  })

  it('memory: no tensors are left, and memory stays what it is', async () => {
    const x = tf.ones([64, 64])
    const before = tf.memory()
    const step = recordStep((a: tf.Tensor) => tf.sum(tf.relu(tf.matMul(a as tf.Tensor2D, a as tf.Tensor2D))))
    for (let i = 0; i < 3; i++) step(x).dispose()
    const recorded = tf.memory() as tf.MemoryInfo & { numBytesAllocatedInGPU: number }
    for (let i = 0; i < 20; i++) step(x).dispose()
    const replayed = tf.memory() as typeof recorded
    expect(replayed.numTensors).toBe(recorded.numTensors)
    expect(replayed.numBytesAllocatedInGPU).toBe(recorded.numBytesAllocatedInGPU)
    step.dispose()
    expect(tf.memory().numTensors).toBe(before.numTensors)
    expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers)
    await assertHealthy()
  })

  it('memory: a step that is kept does not make other work allocate anew', async () => {
    const { device } = tf.backend() as unknown as { device: GPUDevice }
    const x = tf.ones([2 ** 21])
    const steps = [1, 2, 3].map(() =>
      recordStep((a: tf.Tensor) =>
        tf.slice(tf.addN(Array.from({ length: 8 }, (_, i) => tf.mul(a, i))), 0, 1),
      ),
    )
    for (const step of steps) for (let i = 0; i < 3; i++) step(x).dispose()
    // One size after the other, none of which fits another's memory.
    const sizes = Array.from({ length: 7 }, (_, i) => Math.round(2 ** 17 * 1.5 ** i))
    const work = () => {
      for (const size of sizes) tf.tidy(() => tf.square(tf.slice(x, 0, size))).dispose()
    }
    const create = device.createBuffer.bind(device)
    let created = 0
    device.createBuffer = (descriptor) => {
      created++
      return create(descriptor)
    }
    try {
      work()
      work()
      created = 0
      for (let i = 0; i < 5; i++) work()
      expect(created).toBe(0)
    } finally {
      device.createBuffer = create
      for (const step of steps) step.dispose()
    }
  })

  it('smoke: times its kernels', async () => {
    const step = recordStep((a: tf.Tensor1D) => tf.sum(tf.sqrt(a)))
    const x = tf.ones([10]) as tf.Tensor1D
    for (let i = 0; i < 4; i++) step(x).dispose()
    const times = await step.profile()
    const { device } = tf.backend() as unknown as { device: GPUDevice }
    expect(times.length > 0).toBe(device.features.has('timestamp-query'))
    step.dispose()
  })
})
