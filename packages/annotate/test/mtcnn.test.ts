import {
  type Picture,
  alignFace,
  annotate,
  applyTransform,
  createMtcnn,
  createMtcnnNetwork,
  createPyramid,
  fivePoints,
  invertTransform,
  loadMtcnn,
  runCascade,
  saveMtcnn,
} from '@facekit/annotate'
import { ModelFormatError, ShapeError, ValueError } from '@facekit/core'
import { expectNoLeak, testBackends, useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import { beforeAll, describe, expect, it } from 'vitest'
import { demoFace, demoFaces, landmarkWidth, paste } from './photos.js'

const grey: Picture = ndarray(new Uint8Array(60 * 80 * 3).fill(100), [60, 80, 3])

describe.each(testBackends)('createMtcnnNetwork on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it('shape: 12, 24 and 48 pixels, and any size for the first', () => {
    const shapes = (stage: 'proposal' | 'refinement' | 'output', width: number, height = width) => {
      const model = createMtcnnNetwork(stage)
      const outputs = model.predict(tf.zeros([2, height, width, 3])) as tf.Tensor[]
      model.dispose()
      return outputs.map(({ shape }) => shape)
    }
    expect(shapes('proposal', 12)).toEqual([[2, 1, 1, 2], [2, 1, 1, 4], [2, 1, 1, 10]]) // prettier-ignore
    expect(shapes('proposal', 30, 21)).toEqual([[2, 6, 10, 2], [2, 6, 10, 4], [2, 6, 10, 10]]) // prettier-ignore
    expect(shapes('refinement', 24)).toEqual([[2, 2], [2, 4], [2, 10]]) // prettier-ignore
    expect(shapes('output', 48)).toEqual([[2, 2], [2, 4], [2, 10]]) // prettier-ignore
  })
})

describe('mtcnn', () => {
  beforeAll(() => useBackend('wasm'))

  it('value: a network that answers by position is found where it says, at every size', async () => {
    // Stands in for the first stage: bright windows are faces, whose sides lie a quarter inside.
    const proposal = {
      predict: (images: tf.Tensor4D) => {
        const mean = tf.avgPool(images, 12, 2, 'valid')
        const bright = tf.slice(mean, [0, 0, 0, 0], [-1, -1, -1, 1])
        const [, h, w] = bright.shape
        const side = tf.tile(tf.reshape(tf.tensor1d([0.25, 0.25, -0.25, -0.25]), [1, 1, 1, 4]), [1, h, w, 1])
        const logit = tf.mul(tf.sub(bright, 0.97), 1000)
        return [tf.concat([tf.zerosLike(logit), logit], 3), side, tf.zeros([1, h, w, 10])]
      },
    }
    const picture: Picture = ndarray(new Uint8Array(120 * 160 * 3), [120, 160, 3])
    for (let y = 40; y < 88; y++)
      for (let x = 64; x < 112; x++) for (let c = 0; c < 3; c++) picture.set(y, x, c, 255)
    const pyramid = createPyramid({ data: picture.data, width: 160, height: 120, channels: 3 })
    const settings = { minSize: 24, factor: 0.5, thresholds: [0.6, 0.7, 0.7] as const, maxCandidates: 50 }
    const found = await runCascade(pyramid, { proposal: proposal as never }, 1, settings)
    // At 24 and at 48 pixels.
    const sizes = new Set(found.map(({ box }) => Math.round(box.width)))
    expect([...sizes].sort((a, b) => a - b)).toEqual([12, 24])
    for (const { box } of found) {
      expect(box.x).toBeGreaterThan(64)
      expect(box.x + box.width).toBeLessThan(112)
      expect(box.y).toBeGreaterThan(40)
      expect(box.y + box.height).toBeLessThan(88)
    }
    const [large] = found.filter(({ box }) => box.width > 20)
    expect(Math.hypot(large.box.x + 12 - 88, large.box.y + 12 - 64)).toBeLessThan(6)
  })

  it('value: weights come back from a file', async () => {
    const mtcnn = createMtcnn({ seed: 9 })
    const bytes = await saveMtcnn(mtcnn)
    const again = await loadMtcnn({ weights: bytes })
    const images = tf.randomUniform([1, 48, 48, 3], 0, 1, 'float32', 1)
    const of = (which: typeof mtcnn) => (which.models.output.predict(images) as tf.Tensor[])[2].data()
    expect(await of(again)).toEqual(await of(mtcnn))
    const half = await saveMtcnn(mtcnn, { precision: 'float16' })
    expect(half.length).toBeLessThan(1.2e6)
    await expect(loadMtcnn({ weights: half.subarray(0, 5000) })).rejects.toThrow(ModelFormatError)
    mtcnn.dispose()
    again.dispose()
  })

  it('throws: pictures and options', async () => {
    const mtcnn = createMtcnn()
    await expect(mtcnn.detect(ndarray(new Uint8Array(16), [4, 4]) as Picture)).rejects.toThrow(ShapeError)
    await expect(mtcnn.detect(grey, { minScore: 2 })).rejects.toThrow(ValueError)
    await expect(mtcnn.detect(grey, { factor: 1 })).rejects.toThrow(ValueError)
    await expect(mtcnn.detect(grey, { maxFaces: 0 })).rejects.toThrow(ValueError)
    await expectNoLeak(() => mtcnn.detect(grey, { thresholds: [0.99, 0.99] }))
    mtcnn.dispose()
  })

  it('value: the weights that come along find faces and their points', async () => {
    const mtcnn = await loadMtcnn()
    const faces = await demoFaces()
    for (const { picture, landmarks } of faces) {
      // Best first; what else is taken for a face scores less.
      const [found] = await mtcnn.detect(picture)
      const expected = fivePoints(landmarks)
      const off = Array.from({ length: 5 }, (_, k) =>
        Math.hypot(
          found.fivePoints!.get(k, 0) - expected.get(k, 0),
          found.fivePoints!.get(k, 1) - expected.get(k, 1),
        ),
      )
      expect(Math.max(...off) / landmarkWidth(landmarks)).toBeLessThan(0.12)
    }
    const both = paste(
      600,
      300,
      faces.slice(0, 2).map(({ picture }, i) => [picture, 20 + 290 * i, 20]),
    )
    const columns = (await mtcnn.detect(both))
      .slice(0, 2)
      .map(({ box }) => Math.floor((box.x + box.width / 2) / 310))
    expect(columns.toSorted()).toEqual([0, 1])
    const [labelled] = await annotate((await demoFace(1)).picture, { detector: mtcnn.detect })
    expect(labelled.landmarks.shape).toEqual([68, 2])
    mtcnn.dispose()
  })
})

describe('alignFace by five points', () => {
  beforeAll(() => useBackend('wasm'))
  const five = ndarray(Float32Array.from([30, 25, 48, 27, 38, 38, 31, 47, 45, 48]), [5, 2])

  it('value: as by 68 landmarks, and back again', async () => {
    const { image, transform } = alignFace(grey, five)
    expect(image.shape).toEqual([224, 224, 3])
    const there = applyTransform(transform, five)
    expect(there.get(0, 0)).toBeLessThan(there.get(1, 0))
    expect(Math.abs(there.get(2, 0) - 112)).toBeLessThan(15)
    const back = applyTransform(invertTransform(transform), there)
    for (let i = 0; i < 10; i++) expect(back.data[i]).toBeCloseTo(five.data[i], 3)
    const tensors = alignFace(grey, tf.tensor2d(five.data, [5, 2]), { size: 112 })
    expect(tensors.image.shape).toEqual([112, 112, 3])
    expect(tensors.transform.scale).toBeCloseTo(transform.scale / 2, 5)
    tf.dispose([image, tensors.image])
  })

  it('value: the five points of 68 landmarks give the same crop', async () => {
    const { picture, landmarks } = await demoFace(1)
    const [all, few] = [alignFace(picture, landmarks), alignFace(picture, fivePoints(landmarks))]
    expect(few.transform).toEqual(all.transform)
    tf.dispose([all.image, few.image])
  })

  it('throws: another number of points', () => {
    expect(() => alignFace(grey, ndarray(new Float32Array(12), [6, 2]))).toThrow(ShapeError)
  })
})
