import {
  initEngine,
  readLossScale,
  scaledGradients,
  SharedGradients,
  type GradientPeers,
} from '@facekit/engine'
import { recordStep } from '@facekit/kernels'
import { hasWebgpu, useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const webgpu = await hasWebgpu()

async function setMixed(on: boolean): Promise<void> {
  await useBackend('webgpu')
  Object.assign(tf.backend(), { matrixUnits: on ? 'emulated' : 'none', mixed: on })
}

/** The process of rank 1 of two, and what the other one sends: first of all sizes, the same ones unless said otherwise. */
function peersWith(
  other: (part: Uint8Array) => Uint8Array,
  sizes = (part: Uint8Array) => part,
): GradientPeers {
  let calls = 0
  const allGather = async (part: Uint8Array, all: Uint8Array) => {
    all.set((calls++ === 0 ? sizes : other)(part))
    all.set(part, part.length)
  }
  return { rank: 1, size: 2, allGather }
}

/** Sizes that are no multiple of four, one that is used twice, one that is not used. */
function smallNetwork() {
  const variables = [
    tf.variable(tf.tensor2d([0.5, -0.25, 0.125, 1, -1, 0.75], [2, 3])),
    tf.variable(tf.tensor1d([0.5, 0.25, -0.5])),
    tf.variable(tf.scalar(1.5)),
    tf.variable(tf.tensor1d([7])),
  ]
  const [weights, bias, factor] = variables
  const x = tf.tensor2d([0.1, 0.2, 0.3, 0.4, -0.1, 0.05], [3, 2])
  const loss = () =>
    tf.mean(
      tf.square(tf.mul(tf.add(tf.mul(tf.matMul(x, weights as tf.Tensor2D), factor), bias), factor)),
    ) as tf.Scalar
  return { variables, loss, dispose: () => tf.dispose([...variables, x]) }
}

const read = (tensors: readonly (tf.Tensor | undefined)[]) =>
  Promise.all(tensors.map(async (tensor) => tensor && Array.from(await tensor.data())))

it('value: nothing to share where the backend does not compute in mixed precision', async () => {
  await initEngine({ backend: 'cpu' })
  expect(
    SharedGradients.create(
      [],
      peersWith((part) => part),
    ),
  ).toBeUndefined()
})

describe.skipIf(!webgpu)('SharedGradients', () => {
  beforeAll(() => setMixed(true))
  afterAll(() => setMixed(false))

  it('value: means of two processes, rounded to halves, at the first calls and from a recorded step', async () => {
    const { variables, loss, dispose } = smallNetwork()
    const own = scaledGradients(loss, variables)
    const expected = await read(variables.map(({ name }) => own.grads[name]))
    // The other one's gradients are all zeros.
    const shared = SharedGradients.create(
      variables,
      peersWith((part) => new Uint8Array(part.length)),
    )!
    const compute = recordStep(() => shared.compute(loss))
    const update = recordStep(() => shared.means().slice(0, 3) as tf.Tensor[])
    for (let call = 0; call < 5; call++) {
      const value = compute()
      const times = await shared.exchange()
      const means = update()
      for (const [i, mean] of (await read(means)).entries()) {
        expect(mean!.length).toBe(variables[i].size)
        for (const [j, number] of mean!.entries()) {
          const wanted = expected[i]![j] / 2
          expect(Math.abs(number - wanted)).toBeLessThanOrEqual(2 ** -11 * Math.abs(wanted) + 1e-7)
        }
      }
      expect((await value.data())[0]).toBeCloseTo((await own.value.data())[0], 5)
      expect(Object.values(times).every((milliseconds) => milliseconds >= 0)).toBe(true)
      tf.dispose([value, means])
    }
    expect(tf.tidy(() => shared.means()[3])).toBeUndefined()
    for (const one of [compute, update, shared]) one.dispose()
    tf.dispose([own.value, own.grads])
    dispose()
  })

  it('value: a gradient that is infinite in the other process changes nothing here, and halves the scale', async () => {
    const { variables, loss, dispose } = smallNetwork()
    const shared = SharedGradients.create(
      variables,
      peersWith((part) => new Uint8Array(new Uint16Array(part.length / 2).fill(0x7c00).buffer)),
    )!
    const before = await read(variables)
    const scale = await readLossScale()
    tf.dispose(shared.compute(loss))
    await shared.exchange()
    const optimizer = tf.train.sgd(0.1)
    const means = shared.means()
    optimizer.applyGradients(variables.map(({ name }, i) => ({ name, tensor: means[i]! })).slice(0, 3))
    expect(await read(variables)).toEqual(before)
    const after = await readLossScale()
    expect(after).toEqual({ scale: scale!.scale / 2, skipped: scale!.skipped + 1 })
    tf.dispose(means.filter((mean) => mean !== undefined))
    shared.dispose()
    optimizer.dispose()
    dispose()
  })

  it('throws: when another process has another network; memory: nothing is left', async () => {
    const { variables, loss, dispose } = smallNetwork()
    const tensors = tf.memory().numTensors
    const same = (part: Uint8Array) => part
    const others = (part: Uint8Array) => part.map((byte) => byte ^ 1)
    const shared = SharedGradients.create(variables, peersWith(same, others))!
    tf.dispose(shared.compute(loss))
    await expect(shared.exchange()).rejects.toThrow(
      /^SharedGradients: the processes have gradients of different sizes \(this one: 32 bytes in 1 pieces\)/,
    )
    shared.dispose()
    expect(tf.memory().numTensors).toBe(tensors)
    dispose()
  })
})
