import { createDenseNetwork, loadDenseWeights, openDenseNetwork, saveDenseNetwork } from '@facekit/annotate'
import { createRandom, ModelFormatError, ShapeError, ValueError } from '@facekit/core'
import { testBackends, useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'

const options = { points: 70, identity: 3, inputSize: 32, width: 0.2 }

/** Blocks of colours, which are the same everywhere. */
function pictures(count: number): tf.Tensor4D {
  const random = createRandom(4)
  const values = Array.from({ length: count * 8 * 8 * 3 }, () => random.uniform())
  return tf.tidy(() => tf.image.resizeNearestNeighbor(tf.tensor4d(values, [count, 8, 8, 3]), [32, 32]))
}

describe.each(testBackends)('the dense landmark network on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it('shape: places, depths, deviations and identity', async () => {
    const network = createDenseNetwork(options)
    const images = pictures(2)
    const found = network.apply(images)
    expect(Object.fromEntries(Object.entries(found).map(([name, { shape }]) => [name, shape]))).toEqual({
      positions: [2, 87, 2],
      logDeviations: [2, 87],
      depths: [2, 70],
      logDepthDeviations: [2, 70],
      identity: [2, 3],
      logIdentityDeviations: [2, 3],
    })
    const positions = await found.positions.data()
    expect(positions.every((value) => value > 0 && value < 1)).toBe(true)
    tf.dispose([images, found])
    network.dispose()
  })

  it('gradient: of places, depths and deviations, in the weights that draw the heat maps', async () => {
    const network = createDenseNetwork({ ...options, points: 5, outline: 1 })
    const images = pictures(2)
    const variable = network.variables['heads/heatmaps']
    const value = () =>
      tf.tidy(() => {
        const { positions, logDeviations, depths } = network.apply(images)
        const sum = (x: tf.Tensor) => tf.sum(tf.square(x))
        return tf.addN([sum(positions), sum(logDeviations), sum(depths)]) as tf.Scalar
      })
    const { grads, value: start } = tf.variableGrads(value, [variable])
    const gradient = grads[variable.name]
    const at = tf.tidy(() => tf.add(variable, 0))
    const step = 1e-2
    const moved = async (sign: number) => {
      tf.tidy(() => {
        const direction = tf.div(gradient, tf.norm(gradient))
        variable.assign(tf.add(at, tf.mul(direction, sign * step)))
      })
      const result = value()
      const [number] = await result.data()
      result.dispose()
      return number
    }
    const numeric = ((await moved(1)) - (await moved(-1))) / (2 * step)
    const length = tf.tidy(() => tf.norm(gradient))
    const [analytic] = await length.data()
    expect(analytic).toBeGreaterThan(1e-3)
    expect(Math.abs(numeric - analytic)).toBeLessThan(0.03 * analytic)
    tf.dispose([images, grads, start, at, length])
    network.dispose()
  })

  it('value: a file gives what the network gives, and its calibration widens deviations', async () => {
    const network = createDenseNetwork(options)
    const images = pictures(4)
    // Averages of a network that has seen pictures.
    for (let i = 0; i < 60; i++) tf.dispose(network.apply(images, { training: true }))
    const calibration = { positions: 2, outline: 1, depths: 3, identity: 1 }
    const predictor = openDenseNetwork(await saveDenseNetwork(network, { calibration }))
    const before = tf.memory().numTensors
    const [whole, folded] = [network.apply(images), predictor.predict(images)]
    const read = (name: keyof typeof whole) => Promise.all([whole[name].data(), folded[name].data()])
    const mean = (a: ArrayLike<number>, b: ArrayLike<number>, shift: (i: number) => number = () => 0) =>
      Array.from(a, (value, i) => Math.abs(value + shift(i) - b[i])).reduce((x, y) => x + y) / a.length
    expect(mean(...(await read('positions')))).toBeLessThan(0.02)
    expect(mean(...(await read('depths')))).toBeLessThan(0.02)
    expect(mean(...(await read('logDeviations')), (i) => (i % 87 < 70 ? Math.log(2) : 0))).toBeLessThan(0.1)
    expect(mean(...(await read('logDepthDeviations')), () => Math.log(3))).toBeLessThan(0.1)
    tf.dispose([whole, folded])
    expect(tf.memory().numTensors).toBe(before)
    predictor.dispose()
    network.dispose()
    images.dispose()
  })

  it('value: a training goes on from a file', async () => {
    const [first, other] = [1, 2].map((seed) => createDenseNetwork({ ...options, seed }))
    const images = pictures(4)
    for (let i = 0; i < 60; i++) tf.dispose(first.apply(images, { training: true }))
    const bytes = await saveDenseNetwork(first)
    const before = tf.memory().numTensors
    loadDenseWeights(other, bytes, images)
    expect(tf.memory().numTensors).toBe(before)
    const predictor = openDenseNetwork(bytes)
    const wanted = predictor.predict(images)
    for (const training of [false, true]) {
      const found = other.apply(images, { training })
      for (const name of ['positions', 'depths', 'logDeviations'] as const) {
        const [a, b] = await Promise.all([found[name].data(), wanted[name].data()])
        expect(Math.max(...a.map((value, i) => Math.abs(value - b[i])))).toBeLessThan(2e-3)
      }
      tf.dispose(found)
    }
    const wider = createDenseNetwork({ ...options, width: 0.4 })
    expect(() => loadDenseWeights(wider, bytes, images)).toThrow(ValueError)
    predictor.dispose()
    for (const network of [first, other, wider]) network.dispose()
    tf.dispose([wanted, images])
  })
})

describe('dense landmarks', () => {
  beforeAll(() => useBackend('cpu'))

  it('throws: names what is wrong', () => {
    expect(() => createDenseNetwork({ ...options, inputSize: 100 })).toThrow(ValueError)
    expect(() => createDenseNetwork({ ...options, points: 0 })).toThrow(/points/)
    const network = createDenseNetwork(options)
    expect(() => network.apply(tf.zeros([1, 64, 64, 3]))).toThrow(ShapeError)
    expect(() => openDenseNetwork(new Uint8Array(40))).toThrow(ModelFormatError)
    network.dispose()
  })
})
