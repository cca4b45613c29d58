import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import { beforeAll, describe, expect, it } from 'vitest'
import { createRandom, ShapeError, ValueError } from '@facekit/core'
import { expectNoLeak, testBackends, useBackend } from '@facekit/testing'
import {
  alignFace,
  applyTransform,
  cropFace,
  invertTransform,
  pasteBack,
  type Picture,
  type Points,
  type SimilarityTransform,
} from '@facekit/annotate'
import { meanFace, paint } from './mean-face.js'

/** The mean face, with its eyes, nose and mouth exactly where the five-point template has them. */
function templateFace(): Points {
  const face = meanFace()
  const eyes = [78.5, 145.5]
  for (const side of [0, 1]) {
    const points = Array.from({ length: 6 }, (_, i) => 36 + 6 * side + i)
    const mean = (axis: number) => points.reduce((sum, i) => sum + face.get(i, axis) / 6, 0)
    const [dx, dy] = [eyes[side] - mean(0), 85 - mean(1)]
    for (const i of points) {
      face.set(i, 0, face.get(i, 0) + dx)
      face.set(i, 1, face.get(i, 1) + dy)
    }
  }
  for (const [i, u, v] of [
    [30, 112, 124],
    [48, 86, 158],
    [54, 138, 158],
  ]) {
    face.set(i, 0, u)
    face.set(i, 1, v)
  }
  return face
}

/** Landmarks of that face somewhere in a picture. */
const placed = (transform: SimilarityTransform): Points =>
  applyTransform(invertTransform(transform), templateFace())

const somewhere = (scale: number, rotation: number): SimilarityTransform => {
  // The picture's middle, (300, 240), comes to the crop's.
  const [c, s] = [scale * Math.cos(rotation), scale * Math.sin(rotation)]
  return { scale, rotation, translation: [112 - (c * 300 - s * 240), 112 - (s * 300 + c * 240)] }
}

describe('cropFace', () => {
  it('value: finds the transform again, at any scale and angle', () => {
    const picture = paint(600, 480, () => [9, 9, 9])
    for (const [scale, rotation] of [
      [0.5, 0],
      [0.2, 0.5],
      [1.7, -1],
      [3, 3],
    ]) {
      const truth = somewhere(scale, rotation)
      const landmarks = placed(truth)
      const { transform } = cropFace(picture, landmarks)
      const error = applyTransform(transform, landmarks).data.map((v, i) =>
        Math.abs(v - templateFace().data[i]),
      )
      expect(Math.max(...error)).toBeLessThan(0.01)
      expect(transform.scale / truth.scale).toBeCloseTo(1, 5)
    }
  })

  it('value: points go to the crop and back within 0.05 pixels, at 60 megapixel coordinates too', () => {
    const random = createRandom(1)
    const landmarks = placed({ scale: 0.1, rotation: 0.4, translation: [-500, -300] })
    const { transform } = cropFace(
      paint(64, 64, () => [0, 0, 0]),
      landmarks,
    )
    const points = ndarray(
      Float32Array.from({ length: 200 }, () => random.uniform(0, 9000)),
      [100, 2],
    )
    const back = applyTransform(invertTransform(transform), applyTransform(transform, points))
    back.data.forEach((value, i) => expect(Math.abs(value - points.data[i])).toBeLessThan(0.05))
  })

  it.each([0.15, 0.6, 1, 2.5])(
    'value: a spot is where its landmark is, to 0.05 pixels (scale %f)',
    (scale) => {
      const transform = somewhere(scale, 0.3)
      const landmarks = placed(transform)
      const [x, y] = [landmarks.get(30, 0) + 0.37, landmarks.get(30, 1) - 0.21]
      const width = 4 / scale
      const picture = paint(600, 480, (u, v) => {
        const level = 255 * Math.exp(-((u - x) ** 2 + (v - y) ** 2) / (2 * width * width))
        return [level, level, level]
      })
      const { image, transform: found } = cropFace(picture, landmarks)
      const expected = applyTransform(found, ndarray(new Float32Array([x, y]), [1, 2]))
      let [sum, sx, sy] = [0, 0, 0]
      for (let row = 0; row < 224; row++) {
        for (let column = 0; column < 224; column++) {
          const value = image.get(row, column, 1)
          sum += value
          sx += value * (column + 0.5)
          sy += value * (row + 0.5)
        }
      }
      expect(Math.abs(sx / sum - expected.get(0, 0))).toBeLessThan(0.05)
      expect(Math.abs(sy / sum - expected.get(0, 1))).toBeLessThan(0.05)
    },
  )

  it('value: a fine checkerboard becomes grey, not a pattern', () => {
    const picture = paint(600, 480, (u, v) =>
      (Math.floor(u) + Math.floor(v)) % 2 ? [255, 255, 255] : [0, 0, 0],
    )
    const { image } = cropFace(picture, placed(somewhere(0.45, 0)))
    for (let row = 30; row < 190; row += 7) {
      for (let column = 30; column < 190; column += 7)
        expect(Math.abs(image.get(row, column, 0) - 0.5)).toBeLessThan(0.03)
    }
  })

  it('value: outside of the picture its border is repeated, and inside says where that is', () => {
    const picture = paint(300, 480, (u) => [u > 290 ? 200 : 100, 50, 25])
    const { image, inside } = cropFace(picture, placed(somewhere(1, 0)))
    expect(inside.get(112, 20)).toBe(1)
    expect(inside.get(112, 200)).toBe(0)
    expect(image.get(112, 200, 0)).toBeCloseTo(200 / 255, 5)
    expect(image.get(112, 20, 0)).toBeCloseTo(100 / 255, 5)
  })

  it('value: size scales everything', () => {
    const picture = paint(600, 480, (u) => [u / 3, 0, 0])
    const landmarks = placed(somewhere(0.7, 0.2))
    const [large, small] = [
      cropFace(picture, landmarks, { size: 448 }),
      cropFace(picture, landmarks, { size: 112 }),
    ]
    expect(large.image.shape).toEqual([448, 448, 3])
    expect(large.transform.scale / small.transform.scale).toBeCloseTo(4, 5)
  })

  it('value: a head turned to a profile keeps its scale, collapsed landmarks fall back to all 68', () => {
    const picture = paint(600, 480, () => [0, 0, 0])
    const truth = somewhere(0.8, 0)
    const profile = placed(truth)
    for (let i = 0; i < 68; i++) profile.set(i, 0, 300 + 0.25 * (profile.get(i, 0) - 300))
    expect(cropFace(picture, profile).transform.scale / 0.8).toBeCloseTo(1.12, 2)
    const collapsed = placed(truth)
    for (const i of [30, 48, 54, ...Array.from({ length: 12 }, (_, k) => 36 + k)]) {
      collapsed.set(i, 0, 300)
      collapsed.set(i, 1, 240)
    }
    const { scale } = cropFace(picture, collapsed).transform
    expect(scale / 0.8).toBeCloseTo(1.02, 2)
  })

  it('throws: wrong shapes, impossible landmarks, absurd sizes', () => {
    const picture = paint(60, 40, () => [0, 0, 0])
    const seven = ndarray(new Float32Array(14), [7, 2])
    expect(() => cropFace(picture, seven)).toThrow(/alignFace: landmarks is \[7, 2\], expected \[68, 2\]/)
    expect(() => cropFace(picture, ndarray(new Float32Array(10), [5, 2]))).toThrow(ValueError)
    expect(() => cropFace(picture, ndarray(new Float32Array(136), [68, 2]))).toThrow(ValueError)
    expect(() => cropFace(picture, ndarray(new Float32Array(136).fill(NaN), [68, 2]))).toThrow(ValueError)
    expect(() => cropFace(picture, meanFace(), { size: 0 })).toThrow(ValueError)
    const grey = ndarray(new Uint8Array(60 * 40), [40, 60]) as Picture
    expect(() => cropFace(grey, meanFace())).toThrow(ShapeError)
    expect(() => cropFace(picture.transpose(1, 0, 2), meanFace())).toThrow(/is a view/)
  })
})

describe('pasteBack', () => {
  it('value: what was cut out comes back to its place', () => {
    const picture = paint(600, 480, (u, v) => [120 + 80 * Math.sin(u / 25), 120 + 80 * Math.cos(v / 30), 90])
    const { image, transform } = cropFace(picture, placed(somewhere(0.9, 0.4)))
    const back = pasteBack(picture, image, transform)
    expect(back.shape).toEqual(picture.shape)
    const errors = Float64Array.from(back.data, (value, i) => Math.abs(value - picture.data[i]))
    expect(errors.reduce((a, b) => Math.max(a, b))).toBeLessThanOrEqual(2)
  })

  it('value: the mask decides what covers, outside of the crop nothing changes', () => {
    const picture = paint(600, 480, () => [10, 20, 30])
    const { transform, size } = cropFace(picture, placed(somewhere(1, 0)))
    const white = ndarray(new Float32Array(size * size * 3).fill(1), [size, size, 3])
    const left = ndarray(new Float32Array(size * size), [size, size])
    for (let row = 0; row < size; row++) for (let column = 0; column < 112; column++) left.set(row, column, 1)
    const result = pasteBack(picture, white, transform, left)
    expect([result.get(240, 260, 0), result.get(240, 340, 0), result.get(240, 20, 0)]).toEqual([255, 10, 10])
    expect(picture.get(240, 260, 0)).toBe(10)
    expect(() => pasteBack(picture, white, transform, ndarray(new Float32Array(4), [2, 2]))).toThrow(
      ShapeError,
    )
  })
})

describe.each(testBackends)('alignFace on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it('value: pictures and tensors give the same crop', async () => {
    const picture = paint(200, 160, (u, v) => [u, v, 128])
    const landmarks = placed({ scale: 1.3, rotation: 0.1, translation: [-5, 10] })
    const fromPicture = alignFace(picture, landmarks, { size: 96 })
    const tensor = tf.div(tf.tensor3d(Float32Array.from(picture.data), [160, 200, 3]), 255) as tf.Tensor3D
    const points = tf.tensor2d(landmarks.data, [68, 2], 'float32')
    const fromTensor = alignFace(tensor, points, { size: 96 })
    expect(fromPicture.image.shape).toEqual([96, 96, 3])
    expect(fromPicture.transform).toEqual(fromTensor.transform)
    const [a, b] = [await fromPicture.image.data(), await fromTensor.image.data()]
    expect(Math.max(...a.map((value, i) => Math.abs(value - b[i])))).toBeLessThan(1e-5)
    expect(Math.max(...a)).toBeLessThanOrEqual(1)
    tf.dispose([tensor, points, fromPicture.image, fromTensor.image])
  })

  it('memory: leaves the crop alone behind', async () => {
    const picture = paint(64, 64, () => [1, 2, 3])
    await expectNoLeak(() => alignFace(picture, meanFace(), { size: 32 }).image.dispose())
  })
})
