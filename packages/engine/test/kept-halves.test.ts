import * as tf from '@tensorflow/tfjs-core'
import { recordStep } from '@facekit/kernels'
import { hasWebgpu, useBackend } from '@facekit/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const webgpu = await hasWebgpu()

interface Emulating extends tf.KernelBackend {
  matrixUnits: 'none' | 'emulated'
  mixed: boolean
  numDataIds(): number
}
const gpuOf = () => tf.backend() as Emulating

/** Of 1 x 1: each output is the sum of eight equal inputs times the weight. */
const weights = (value: number) => tf.fill([1, 1, 8, 8], value) as tf.Tensor4D
const assign = (variable: tf.Variable, value: number) => {
  const tensor = weights(value)
  variable.assign(tensor)
  tensor.dispose()
}
const variable = () => tf.tidy(() => tf.variable(weights(1)))
const x = () => tf.ones([1, 2, 2, 8]) as tf.Tensor4D
const first = async (y: tf.Tensor) => {
  const [value] = await y.data()
  y.dispose()
  return value
}

describe.skipIf(!webgpu)('halves that are kept of weights', () => {
  beforeAll(async () => {
    await useBackend('webgpu')
    Object.assign(gpuOf(), { matrixUnits: 'emulated', mixed: true })
  })
  afterAll(() => Object.assign(gpuOf(), { matrixUnits: 'none', mixed: false }))

  it('value: a recorded forward pass follows an optimiser, another recorded step, and what is assigned', async () => {
    const weight = variable()
    const input = x()
    const forward = recordStep((input: tf.Tensor4D) => tf.conv2d(input, weight, 1, 'same'))
    for (let i = 0; i < 4; i++) expect(await first(forward(input))).toBe(8)
    // Not recorded: changes the weights in place.
    const optimizer = tf.train.sgd(0.5)
    const gradient = weights(1)
    optimizer.applyGradients({ [weight.name]: gradient })
    expect(await first(forward(input))).toBe(4)
    assign(weight, 3)
    expect(await first(forward(input))).toBe(24)
    // Recorded, and reads no halves.
    const update = recordStep(() => {
      optimizer.applyGradients({ [weight.name]: gradient })
      return tf.mean(weight)
    })
    for (const expected of [20, 16, 12, 8, 4, 0]) {
      update().dispose()
      expect(await first(forward(input))).toBe(expected)
    }
    assign(weight, 2)
    update().dispose()
    expect(await first(forward(input))).toBe(12)
    for (const step of [forward, update]) step.dispose()
    tf.dispose([weight, input, gradient])
    optimizer.dispose()
  })

  it('value: a recorded training step goes on from what is assigned between', async () => {
    const train = () => {
      const weight = variable()
      const optimizer = tf.train.sgd(1)
      const step = recordStep((input: tf.Tensor4D) =>
        optimizer.minimize(() => tf.mean(tf.square(tf.conv2d(input, weight, 1, 'same'))), true, [weight])!,
      )
      return { weight, optimizer, step }
    }
    const run = async () => {
      const { weight, optimizer, step } = train()
      const input = x()
      const losses: number[] = []
      for (let i = 0; i < 9; i++) {
        if (i === 5) assign(weight, 0.5)
        losses.push(await first(step(input)))
      }
      step.dispose()
      optimizer.dispose()
      tf.dispose([weight, input])
      return losses
    }
    const halves = await run()
    Object.assign(gpuOf(), { mixed: false })
    const floats = await run()
    Object.assign(gpuOf(), { mixed: true })
    for (const [i, loss] of floats.entries()) expect(Math.abs(halves[i] / loss - 1)).toBeLessThan(0.01)
  })

  it('memory: they go with the weights', async () => {
    const input = x()
    await first(tf.conv2d(input, weights(1), 1, 'same'))
    const before = gpuOf().numDataIds()
    const filter = weights(2)
    expect(await first(tf.conv2d(input, filter, 1, 'same'))).toBe(16)
    expect(gpuOf().numDataIds()).toBe(before + 2)
    filter.dispose()
    expect(gpuOf().numDataIds()).toBe(before)
    input.dispose()
  })
})
