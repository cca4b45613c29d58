import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { createRandom, ShapeError, ValueError } from '@facekit/core'
import { AdamWOptimizer, assertHealthy, clipByGlobalNorm, recordStep } from '@facekit/engine'
import { hasWebgpu, testBackends, useBackend } from '@facekit/testing'

const webgpu = await hasWebgpu()
const shapes = [[3, 3, 4, 8], [5], [1], [7, 3], [64], [2, 6], [], [0, 4]]

/** An optimiser in float64, one step. */
type Rule = (value: number, gradient: number, state: number[], step: number) => number

const rules: Record<string, { make: () => tf.Optimizer; rule: Rule; state: number }> = {
  adam: {
    make: () => tf.train.adam(0.01, 0.8, 0.95, 1e-6),
    rule: (value, gradient, state, step) => {
      state[0] = 0.8 * state[0] + 0.2 * gradient
      state[1] = 0.95 * state[1] + 0.05 * gradient ** 2
      const first = state[0] / (1 - 0.8 ** step)
      return value - (0.01 * first) / (Math.sqrt(state[1] / (1 - 0.95 ** step)) + 1e-6)
    },
    state: 2,
  },
  sgd: { make: () => tf.train.sgd(0.1), rule: (value, gradient) => value - 0.1 * gradient, state: 0 },
  momentum: {
    make: () => tf.train.momentum(0.1, 0.9),
    rule: (value, gradient, state) => {
      state[0] = 0.9 * state[0] + gradient
      return value - 0.1 * state[0]
    },
    state: 1,
  },
  nesterov: {
    make: () => tf.train.momentum(0.1, 0.9, true),
    rule: (value, gradient, state) => {
      state[0] = 0.9 * state[0] + gradient
      return value - 0.1 * (gradient + 0.9 * state[0])
    },
    state: 1,
  },
}

describe.each([...testBackends, 'device', ...(webgpu ? ['webgpu'] : [])])('optimisers on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  for (const [name, { make, rule, state: count }] of Object.entries(rules)) {
    it(`value: ${name}, variables of all sizes, several steps`, async () => {
      const random = createRandom(3)
      const values = shapes.map((shape) =>
        Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.normal()),
      )
      const initial = values.map((data, i) => tf.tensor(data.slice(), shapes[i]))
      const variables = initial.map((tensor) => tf.variable(tensor))
      const optimizer = make()
      const expected = values.map((data) => Float64Array.from(data))
      const state = values.map((data) => Array.from(data, () => Array.from({ length: count }, () => 0)))
      for (let step = 1; step <= 4; step++) {
        const gradients = values.map((data) => Float32Array.from(data, () => random.normal()))
        for (const [k, gradient] of gradients.entries())
          for (const [i, g] of gradient.entries()) expected[k][i] = rule(expected[k][i], g, state[k][i], step)
        const named = variables.map((variable, k) => ({
          name: variable.name,
          tensor: tf.tensor(gradients[k], shapes[k]),
        }))
        optimizer.applyGradients(named)
        tf.dispose(named.map(({ tensor }) => tensor))
      }
      for (const [k, variable] of variables.entries()) {
        const actual = await variable.data()
        for (const [i, value] of actual.entries()) expect(Math.abs(value - expected[k][i])).toBeLessThan(2e-5)
      }
      // Tensors that the variables were made from are not touched.
      for (const [k, tensor] of initial.entries()) expect(await tensor.data()).toEqual(values[k])
      expect(optimizer.iterations).toBe(4)
      await assertHealthy()
      tf.dispose([...variables, ...initial])
      optimizer.dispose()
    })
  }

  it('value: a variable without gradient, clones, the type of gradients as minimize gives them', async () => {
    const [used, unused] = [tf.variable(tf.tensor1d([1, 2])), tf.variable(tf.tensor1d([3]))]
    const clone = tf.clone(used)
    const optimizer = tf.train.adam(0.1)
    const loss = optimizer.minimize(() => tf.sum(tf.square(used)) as tf.Scalar, true, [used, unused])!
    expect((await loss.data())[0]).toBe(5)
    expect(await clone.data()).toEqual(new Float32Array([1, 2]))
    expect(Array.from(await used.data(), (v) => Number(v.toFixed(4)))).toEqual([0.9, 1.9])
    expect(await unused.data()).toEqual(new Float32Array([3]))
    tf.dispose([used, unused, clone, loss])
    optimizer.dispose()
  })

  it('value: weights go into another optimiser, which goes on in the same way', async () => {
    let names: string[] = []
    const run = async (interrupt: boolean) => {
      const variable = tf.variable(tf.tensor1d([1, -2, 3]), true, `resumed-${backend}-${interrupt}`)
      const loss = () => tf.sum(tf.square(variable)) as tf.Scalar
      let optimizer = tf.train.adam(0.1)
      for (let i = 0; i < 6; i++) {
        if (interrupt && i === 3) {
          const weights = await optimizer.getWeights()
          names = weights.map(({ name }) => name.replace(variable.name, 'variable'))
          const copied = weights.map(({ name, tensor }) => ({ name, tensor: tf.clone(tensor) }))
          optimizer = tf.AdamOptimizer.fromConfig(tf.AdamOptimizer, optimizer.getConfig()) as tf.AdamOptimizer
          await optimizer.setWeights(copied)
        }
        optimizer.minimize(loss)
      }
      const result = await variable.data()
      variable.dispose()
      return result
    }
    const [whole, resumed] = [await run(false), await run(true)]
    expect(names).toEqual(['iter', 'variable/m', 'variable/v'])
    for (const [i, value] of whole.entries()) expect(resumed[i]).toBeCloseTo(value, 4)
  })

  it('value: the learning rate may change between steps, also of a recorded one', async () => {
    const variable = tf.variable(tf.tensor1d([1, 2, 3, 4]))
    const optimizer = tf.train.sgd(1) as tf.SGDOptimizer & { learningRate: number }
    const step = recordStep((gradient: tf.Tensor1D) => {
      optimizer.applyGradients([{ name: variable.name, tensor: gradient }])
      return []
    })
    const gradient = tf.ones<tf.Rank.R1>([4])
    let expected = 1
    for (const [i, rate] of [1, 1, 1, 0.5, 0.25, 0.25, 0.125].entries()) {
      // The stock optimiser, that of other backends, knows the method only.
      if (i % 2 || backend === 'device') optimizer.setLearningRate(rate)
      else optimizer.learningRate = rate
      expected -= rate
      step(gradient)
    }
    expect([...(await variable.data())]).toEqual([0, 1, 2, 3].map((v) => v + expected))
    step.dispose()
    tf.dispose([variable, gradient])
  })

  it('value: Adam in a recorded step counts its steps', async () => {
    const run = async (recorded: boolean) => {
      const variable = tf.variable(tf.tensor1d([1, -2, 3]))
      const optimizer = tf.train.adam(0.1)
      const plain = (target: tf.Tensor1D) =>
        optimizer.minimize(() => tf.sum(tf.square(tf.sub(variable, target))) as tf.Scalar, true, [variable])!
      const recording = recorded ? recordStep(plain) : undefined
      const step = recording ?? plain
      const target = tf.tensor1d([0.5, 0.25, 0])
      for (let i = 0; i < 7; i++) step(target).dispose()
      const result = await variable.data()
      recording?.dispose()
      tf.dispose([variable, target])
      return result
    }
    const [plain, recorded] = [await run(false), await run(true)]
    for (const [i, value] of plain.entries()) expect(recorded[i]).toBeCloseTo(value, 6)
  })

  it('memory: a step leaves nothing behind', async () => {
    const variable = tf.variable(tf.tensor1d([1, 2]))
    for (const optimizer of [tf.train.adam(0.1), tf.train.momentum(0.1, 0.9)]) {
      const step = () => optimizer.minimize(() => tf.sum(tf.square(variable)) as tf.Scalar)
      step()
      const before = tf.memory().numTensors
      step()
      expect(tf.memory().numTensors).toBe(before)
    }
    variable.dispose()
  })

  it('value: AdamW shrinks matrices, not offsets, beside the step of Adam', async () => {
    const run = async (make: () => tf.AdamOptimizer) => {
      const variables = [tf.variable(tf.tensor2d([[1, -2, 3, 4]])), tf.variable(tf.tensor1d([5]))]
      const optimizer = make()
      const gradients = variables.map((variable) => tf.ones(variable.shape))
      const named = variables.map(({ name }, i) => ({ name, tensor: gradients[i] }))
      optimizer.applyGradients(named)
      const results = await Promise.all(variables.map((variable) => variable.data()))
      tf.dispose([...variables, ...gradients])
      optimizer.dispose()
      return results
    }
    const adam = await run(() => tf.train.adam(0.1))
    const adamW = await run(() => new AdamWOptimizer(0.1, { weightDecay: 0.5 }))
    const before = [1, -2, 3, 4]
    for (const [i, value] of adamW[0].entries()) expect(value).toBeCloseTo(adam[0][i] - 0.05 * before[i], 5)
    expect(adamW[1][0]).toBeCloseTo(adam[1][0], 6)
    const config = new AdamWOptimizer(0.2, { weightDecay: 0.5 }).getConfig()
    expect(config).toMatchObject({ learningRate: 0.2, weightDecay: 0.5, beta1: 0.9 })
    expect(AdamWOptimizer.fromConfig(AdamWOptimizer, config).getConfig()).toEqual(config)
    expect(() => new AdamWOptimizer(0.1, { weightDecay: -1 })).toThrow(ValueError)
  })

  it('value: clipByGlobalNorm scales what is too long, and leaves the rest', async () => {
    const random = createRandom(4)
    const sizes = [5, 8, 1, 5000, 4, 17, 0, 12, 64, 3, 20, 40, 7, 6, 2, 16, 9, 33, 8]
    const values = sizes.map((size) => Float32Array.from({ length: size }, () => random.normal()))
    const gradients = Object.fromEntries(values.map((data, i) => [`v${i}`, tf.tensor1d(data)]))
    const length = Math.sqrt(values.reduce((sum, data) => sum + data.reduce((s, v) => s + v * v, 0), 0))
    for (const limit of [1, 1000]) {
      const before = tf.memory().numTensors
      const { gradients: clipped, norm } = clipByGlobalNorm(gradients, limit)
      expect(tf.memory().numTensors).toBe(before + sizes.length + 1)
      expect(Math.abs((await norm.data())[0] / length - 1)).toBeLessThan(1e-5)
      expect(norm.shape).toEqual([])
      expect(Object.keys(clipped)).toEqual(Object.keys(gradients))
      for (const [i, data] of values.entries()) {
        const actual = await clipped[`v${i}`].data()
        expect(actual.length).toBe(data.length)
        for (const [k, value] of actual.entries())
          expect(value).toBeCloseTo(data[k] * Math.min(1, limit / length), 5)
      }
      tf.dispose([clipped, norm])
    }
    const list = clipByGlobalNorm([tf.tensor1d([3, 4])], 1)
    expect(Array.from(await list.gradients[0].data(), (v) => Number(v.toFixed(5)))).toEqual([0.6, 0.8])
    expect((await clipByGlobalNorm([tf.zeros([3])], 1).norm.data())[0]).toBe(0)
    expect(() => clipByGlobalNorm([tf.zeros([1])], 0)).toThrow(ValueError)
    expect(() => clipByGlobalNorm([tf.zeros([1], 'int32')], 1)).toThrow(ShapeError)
  })
})
