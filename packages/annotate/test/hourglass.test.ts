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
import { AnnotationError, ModelFormatError, ShapeError, ValueError } from '@facekit/core'
import { expectNoLeak, testBackends, useBackend } from '@facekit/testing'
import { demoFace, demoFaces, landmarkError } from './photos.js'

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

  it('value: the weights that come along find the landmarks of photographs', async () => {
    const hourglass = await loadHourglass()
    for (const { picture, landmarks } of await demoFaces()) {
      const [face] = await detectFaces(picture)
      expect(landmarkError(await hourglass.find(picture, face.box), landmarks)).toBeLessThan(0.02)
    }
    hourglass.dispose()
  })

  it('value: annotate takes it for its landmarks', async () => {
    const hourglass = await loadHourglass()
    const { picture } = await demoFace(1)
    const [face] = await annotate(picture, { landmarks: hourglass.find, lips: false, eyes: false })
    const points = await hourglass.find(picture, face.box)
    expect(face.landmarks.data).toEqual(points.data)
    hourglass.dispose()
  })
})
