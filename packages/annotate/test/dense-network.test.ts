import { createDenseNetwork } from '@facekit/annotate'
import { createRandom, ModelFormatError, ShapeError, ValueError } from '@facekit/core'
import { checkGradient, testBackends, useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { openDenseNetwork, saveDenseNetwork } from '../src/dense/dense-file.js'
import { denseBoxView, denseView } from '../src/dense/dense-view.js'
import { inferenceMoments, trainableMoments } from '../src/dense/soft-moments.js'

const options = { points: 70, identity: 3, inputSize: 32, width: 0.2 }

/** Blocks of colours, which are the same everywhere. */
function pictures(count: number): tf.Tensor4D {
  const random = createRandom(4)
  const values = Array.from({ length: count * 8 * 8 * 3 }, () => random.uniform())
  return tf.tidy(() => tf.image.resizeNearestNeighbor(tf.tensor4d(values, [count, 8, 8, 3]), [32, 32]))
}

const tensor = (shape: number[], seed: number, scale = 1) => {
  const random = createRandom(seed)
  const count = shape.reduce((product, length) => product * length, 1)
  return tf.tensor(
    Array.from({ length: count }, () => random.normal(0, scale)),
    shape,
  )
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

  it('value: means over heat maps are the same by both ways, and those of the definition', async () => {
    const [maps, filter, values] = [
      tensor([2, 4, 4, 5], 1),
      tensor([1, 1, 5, 3], 2),
      tensor([2, 2, 16], 3),
    ] as [tf.Tensor4D, tf.Tensor4D, tf.Tensor3D]
    const [m, f, v] = await Promise.all([maps.data(), filter.data(), values.data()])
    const expected = Array.from({ length: 12 }, (_, i) => {
      const [b, k, l] = [Math.floor(i / 6), Math.floor(i / 3) % 2, i % 3]
      let [sum, mass] = [0, 0]
      for (let p = 0; p < 16; p++) {
        let h = 0
        for (let c = 0; c < 5; c++) h += m[(b * 16 + p) * 5 + c] * f[c * 3 + l]
        sum += v[(b * 2 + k) * 16 + p] * Math.exp(h)
        mass += Math.exp(h)
      }
      return sum / mass
    })
    for (const moments of [trainableMoments, inferenceMoments]) {
      const result = tf.tidy(() => moments(maps, filter, values))
      expect(result.shape).toEqual([2, 2, 3])
      const found = await result.data()
      for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 4)
      result.dispose()
    }
    await checkGradient(
      (...inputs) => trainableMoments(...(inputs as [tf.Tensor4D, tf.Tensor4D, tf.Tensor3D])),
      [maps, filter, values],
    )
    tf.dispose([maps, filter, values])
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

  it('value: the square around points is upright, and as large however the head is turned', () => {
    // Eyes above lips, and depth.
    const mean = Array.from({ length: 70 }, (_, k) => [
      (k % 7) * 10 - 30,
      k >= 36 && k < 48 ? -30 : k >= 48 && k < 60 ? 40 : 5,
      (k % 5) * 8,
    ])
    const turned = (roll: number, yaw: number) =>
      mean.flatMap(([x, y, z]) => {
        const [u, w] = [x * Math.cos(yaw) + z * Math.sin(yaw), z * Math.cos(yaw) - x * Math.sin(yaw)]
        return [
          u * Math.cos(roll) - y * Math.sin(roll) + 200,
          u * Math.sin(roll) + y * Math.cos(roll) + 100,
          w,
        ]
      })
    const views = [
      [0, 0],
      [2.5, 0],
      [0.4, 0.9],
    ].map(([roll, yaw]) => denseView(turned(roll, yaw), 70))
    expect(Math.abs(views[0].angle)).toBeLessThan(0.1)
    expect(views[1].angle).toBeCloseTo(views[0].angle + 2.5, 6)
    for (const { size } of views) expect(size).toBeCloseTo(views[0].size, 6)
  })

  it('value: the square around a box turns about its centre', () => {
    const box = { x: 10, y: 20, width: 100, height: 100 }
    const [upright, over] = [denseBoxView(box), denseBoxView(box, 2)]
    expect(upright.x).toBeCloseTo(60, 6)
    expect(over.x).toBeCloseTo(60, 6)
    expect(upright.y + over.y).toBeCloseTo(140, 6)
    expect(over.angle).toBeCloseTo(Math.PI, 6)
  })
})
