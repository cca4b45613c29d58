import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Picture,
  annotate,
  createHourglass,
  createLandmarkNetwork,
  detectFaces,
  disposeNetworks,
  loadHourglass,
  saveHourglass,
} from '@facekit/annotate'
import { heatmapLoss } from '@facekit/annotate-training'
import { AnnotationError, ModelFormatError, ShapeError, ValueError } from '@facekit/core'
import { expectNoLeak, testBackends, useBackend } from '@facekit/testing'
import { havePhotos, photoLandmarks, readPhoto } from './photos.js'

const tiny = { inputSize: 32, stacks: 2, features: 8, depth: 2, landmarks: 68 }

describe.each(testBackends)('createHourglass on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it('shape: heat maps of each hourglass, points and scores', () => {
    const hourglass = createHourglass(tiny)
    const images = tf.zeros<tf.Rank.R4>([2, 32, 32, 3])
    expect(hourglass.apply(images).map(({ shape }) => shape)).toEqual([
      [2, 8, 8, 68],
      [2, 8, 8, 68],
    ])
    const { points, scores } = hourglass.predict(images)
    expect([points.shape, scores.shape]).toEqual([
      [2, 68, 2],
      [2, 68],
    ])
    expect(() => hourglass.apply(tf.zeros([2, 64, 64, 3]))).toThrow(ShapeError)
    hourglass.dispose()
  })

  it('value: learns where a bright dot is', async () => {
    const hourglass = createHourglass({ inputSize: 32, stacks: 2, features: 8, depth: 2, landmarks: 1 })
    const places = [6, 10, 14, 22, 26, 18, 10, 26]
    const pixels = new Float32Array(4 * 32 * 32 * 3)
    for (let i = 0; i < 4; i++) {
      for (let k = 0; k < 16; k++) {
        const [x, y] = [places[2 * i] - 2 + (k % 4), places[2 * i + 1] - 2 + (k >> 2)]
        pixels.fill(1, ((i * 32 + y) * 32 + x) * 3, ((i * 32 + y) * 32 + x) * 3 + 3)
      }
    }
    const images = tf.tensor4d(pixels, [4, 32, 32, 3])
    const points = tf.tensor3d(places, [4, 1, 2])
    const optimizer = tf.train.adam(0.01)
    const loss = () => heatmapLoss(hourglass.apply(images, { training: true }), points, { distance: 0.5 })
    const losses: number[] = []
    for (let i = 0; i < (backend === 'cpu' ? 8 : 60); i++) {
      const value = optimizer.minimize(loss, true)!
      losses.push((await value.data())[0])
      value.dispose()
    }
    expect(losses.at(-1)).toBeLessThan((backend === 'cpu' ? 0.9 : 0.6) * losses[0])
    tf.dispose([images, points])
    optimizer.dispose()
    hourglass.dispose()
  })
})

describe('hourglass', () => {
  beforeAll(() => useBackend('wasm'))
  afterAll(disposeNetworks)
  const picture: Picture = ndarray(new Uint8Array(64 * 64 * 3).fill(90), [64, 64, 3])

  it('throws: options', () => {
    expect(() => createLandmarkNetwork({ inputSize: 100 })).toThrow(ValueError)
    expect(() => createLandmarkNetwork({ features: 10 })).toThrow(ValueError)
    expect(() => createLandmarkNetwork({ stacks: 0 })).toThrow(ValueError)
  })

  it('value: weights come back from a file, and the shape of the network with them', async () => {
    const hourglass = createHourglass({ ...tiny, seed: 5 })
    const images = tf.randomUniform<tf.Rank.R4>([1, 32, 32, 3], 0, 1, 'float32', 3)
    const before = hourglass.predict(images).points
    const bytes = await saveHourglass(hourglass, { metadata: { data: 'none' } })
    const again = await loadHourglass({ weights: bytes })
    expect(again.options).toMatchObject(tiny)
    expect(await again.predict(images).points.data()).toEqual(await before.data())
    await expect(loadHourglass({ weights: bytes.subarray(0, 100) })).rejects.toThrow(ModelFormatError)
    hourglass.dispose()
    again.dispose()
  })

  it('shape: find gives 68 points for a box, and refuses bad ones', async () => {
    const hourglass = createHourglass(tiny)
    const box = { x: 10, y: 10, width: 40, height: 40 }
    const points = await hourglass.find(picture, box)
    expect(points.shape).toEqual([68, 2])
    expect([...points.data].every(Number.isFinite)).toBe(true)
    await expect(hourglass.find(picture, { ...box, width: 0 })).rejects.toThrow(ValueError)
    await expect(hourglass.find(picture, { ...box, x: 100 })).rejects.toThrow(AnnotationError)
    await expectNoLeak(() => hourglass.find(picture, box))
    hourglass.dispose()
  })

  it.skipIf(!havePhotos)('value: the weights that come along find the landmarks of photographs', async () => {
    const hourglass = await loadHourglass()
    const truth = photoLandmarks('ffhq-parsing')
    for (const name of ['00001.png', '00002.png', '00004.png']) {
      const photo = await readPhoto(`ffhq-parsing/${name}`)
      const [face] = await detectFaces(photo)
      const points = await hourglass.find(photo, face.box)
      const xs = truth[name].map(([x]) => x)
      const ys = truth[name].map(([, y]) => y)
      const size = Math.sqrt((Math.max(...xs) - Math.min(...xs)) * (Math.max(...ys) - Math.min(...ys)))
      const distances = truth[name].map(([x, y], k) => Math.hypot(points.get(k, 0) - x, points.get(k, 1) - y))
      expect(distances.reduce((a, b) => a + b) / 68 / size).toBeLessThan(0.04)
    }
    hourglass.dispose()
  })

  it.skipIf(!havePhotos)('value: annotate takes it for its landmarks', async () => {
    const hourglass = await loadHourglass()
    const photo = await readPhoto('ffhq-parsing/00002.png')
    const [face] = await annotate(photo, { landmarks: hourglass.find, lips: false })
    const points = await hourglass.find(photo, face.box)
    expect(face.landmarks.data).toEqual(points.data)
    hourglass.dispose()
  })
})
