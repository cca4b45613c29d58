import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AnnotationError, ImageError, ShapeError, ValueError } from '@facekit/core'
import { useBackend } from '@facekit/testing'
import {
  annotate,
  applyTransform,
  disposeNetworks,
  type AnnotateOptions,
  type Box,
  type Points,
} from '@facekit/annotate'
import { meanFace, paint } from './mean-face.js'
import { demoFace, demoFaces, landmarkError, paste, turned, turnedPoints } from './photos.js'

const picture = paint(600, 400, (x, y) => [150 + 40 * Math.sin(x / 20), 110, 80 + 20 * Math.cos(y / 15)])
const face = (box: Box, score = 0.9) => ({ box, score })
const square = (x: number, y: number, size: number): Box => ({ x, y, width: size, height: size })

/** The mean face in a box. */
const inBox = (box: Box): Points =>
  applyTransform({ scale: box.width / 224, rotation: 0, translation: [box.x, box.y] }, meanFace())

/** Stages without networks. */
const stages = (boxes: Box[], options: AnnotateOptions = {}): AnnotateOptions => ({
  detector: async () => boxes.map((box) => face(box)),
  landmarks: async (_, box) => inBox(box),
  embedder: (images) => tf.reshape(tf.mean(images, [1, 2]), [-1, 3]),
  size: 64,
  ...options,
})

describe('annotate with stages of one’s own', () => {
  beforeAll(() => useBackend('cpu'))

  it('shape: every field, largest face first', async () => {
    const boxes = [square(20, 30, 100), square(200, 100, 250), square(480, 20, 110)]
    const faces = await annotate(picture, stages(boxes))
    expect(faces.map(({ box }) => box.width)).toEqual([250, 110, 100])
    const [largest] = faces
    expect(largest.landmarks.shape).toEqual([68, 2])
    expect(largest.alignment.size).toBe(64)
    expect(largest.alignment.image.shape).toEqual([64, 64, 3])
    for (const mask of [largest.faceRegion, largest.innerMouth, largest.skinProbability]) {
      expect(mask.shape).toEqual([64, 64])
      expect((mask.data as Float32Array).every((value) => value >= 0 && value <= 1)).toBe(true)
    }
    expect(largest.embedding).toBeInstanceOf(Float32Array)
    expect(largest.embedding.length).toBe(3)
    const moved = applyTransform(largest.alignment.transform, largest.landmarks)
    moved.data.forEach((value, i) => expect(value).toBeCloseTo(largest.alignment.landmarks.data[i], 3))
  })

  it('value: maxFaces takes the largest, no detection gives none', async () => {
    const boxes = [square(20, 30, 100), square(200, 100, 250)]
    expect((await annotate(picture, stages(boxes, { maxFaces: 1 }))).map(({ box }) => box.width)).toEqual([
      250,
    ])
    expect(await annotate(picture, stages([]))).toEqual([])
  })

  it('value: absurd landmarks and second detections are dropped, with reasons', async () => {
    const good = square(200, 100, 250)
    const cases: [RegExp, (box: Box) => Points][] = [
      [/not finite/, () => ndarray(new Float32Array(136).fill(NaN), [68, 2])],
      [/too few for a face/, (box) => inBox({ ...box, width: 4 })],
      [/span .* its box/, (box) => inBox(square(box.x, box.y, box.width / 5))],
      [/beside its box/, (box) => inBox(square(box.x + 300, box.y, box.width))],
      [/of its 68 landmarks lie in the picture/, () => inBox(square(-40, -40, 41))],
      [
        /do not form a face/,
        (box) =>
          ndarray(
            Float32Array.from({ length: 136 }, (_, i) => box.x + (((i * 7919) % 97) / 97) * 100),
            [68, 2],
          ),
      ],
    ]
    for (const [reason, wrong] of cases) {
      const bad = /lie in/.test(reason.source) ? square(-40, -40, 60) : square(20, 20, 120)
      const reasons: string[] = []
      const faces = await annotate(
        picture,
        stages([bad, good], {
          landmarks: async (_, box) => (box === good ? inBox(box) : wrong(box)),
          onReject: (_, text) => reasons.push(text),
        }),
      )
      expect(faces.map(({ box }) => box)).toEqual([good])
      expect(reasons).toHaveLength(1)
      expect(reasons[0]).toMatch(reason)
    }
    const reasons: string[] = []
    const twice = stages([square(205, 105, 245), good], { onReject: (_, text) => reasons.push(text) })
    expect(await annotate(picture, twice)).toHaveLength(1)
    expect(reasons).toEqual(['it is a face that was found already'])
    const outside = stages([good], {
      landmarks: async () => {
        throw new AnnotationError('findLandmarks: beside the picture')
      },
    })
    expect(await annotate(picture, outside)).toEqual([])
  })

  it('value: a small detection must be sure', async () => {
    const reasons: string[] = []
    const options = (score: number): AnnotateOptions => ({
      ...stages([]),
      detector: async () => [face(square(100, 100, 25), score)],
      onReject: (_, text) => reasons.push(text),
    })
    expect(await annotate(picture, options(0.8))).toEqual([])
    expect(reasons).toEqual(['it is 25 pixels wide and scores 0.80, too little for so few pixels'])
    expect(await annotate(picture, options(0.95))).toHaveLength(1)
  })

  it('value: a face half outside is labelled, and what is outside does not count', async () => {
    const [half] = await annotate(picture, stages([square(475, 100, 250)]))
    const { faceRegion, skinProbability } = half
    expect(faceRegion.get(36, 10)).toBeGreaterThanOrEqual(0)
    for (let x = 36; x < 64; x++) {
      expect(faceRegion.get(36, x)).toBe(0)
      expect(skinProbability.get(36, x)).toBe(0)
    }
  })

  it('value: a segmenter and a skin classifier are asked instead', async () => {
    const half = () => ndarray(new Float32Array(64 * 64).fill(0.5), [64, 64])
    const [one] = await annotate(
      picture,
      stages([square(200, 100, 250)], {
        segmenter: ({ size }, landmarks) => {
          expect([size, landmarks.shape[0]]).toEqual([64, 68])
          return half()
        },
        skin: async (_image, _landmarks, region) => {
          expect(region.get(3, 3)).toBe(0.5)
          return half()
        },
      }),
    )
    expect(one.faceRegion.get(1, 1)).toBe(0.5)
    expect(one.skinProbability.get(1, 1)).toBe(0.5)
  })

  it('throws: bad options, bad stages, bad pictures, an aborted signal', async () => {
    const boxes = [square(200, 100, 250)]
    await expect(annotate(picture, stages(boxes, { size: 3 }))).rejects.toThrow(ValueError)
    await expect(annotate(picture, stages(boxes, { maxFaces: 0 }))).rejects.toThrow(ValueError)
    await expect(annotate(picture, stages(boxes, { minScore: 2 }))).rejects.toThrow(ValueError)
    const wrong = () => ndarray(new Float32Array(4), [2, 2])
    await expect(annotate(picture, stages(boxes, { landmarks: async () => wrong() }))).rejects.toThrow(
      ShapeError,
    )
    await expect(annotate(picture, stages(boxes, { skin: wrong }))).rejects.toThrow(
      /skinProbability is \[2, 2\]/,
    )
    await expect(annotate('no-such-file.jpg', stages(boxes))).rejects.toThrow(ImageError)
    await expect(annotate(new Uint8Array(3), stages(boxes))).rejects.toThrow(ImageError)
    await expect(annotate(picture, stages(boxes, { signal: AbortSignal.abort() }))).rejects.toThrow(/abort/i)
    const controller = new AbortController()
    const stopped = stages(boxes, {
      signal: controller.signal,
      landmarks: async (_, box) => {
        controller.abort(new Error('stopped in the middle'))
        return inBox(box)
      },
    })
    await expect(annotate(picture, stopped)).rejects.toThrow('stopped in the middle')
  })

  it('memory: leaves no tensor behind', async () => {
    const before = tf.memory().numTensors
    await annotate(picture, stages([square(200, 100, 250)]))
    expect(tf.memory().numTensors).toBe(before)
  })
})

describe('annotate with the networks, on wasm', () => {
  beforeAll(() => useBackend('wasm'))
  afterAll(() => disposeNetworks())

  it('value: one pixel, and a wall, have no face', async () => {
    const one = await sharp({ create: { width: 1, height: 1, channels: 3, background: '#888' } })
      .png()
      .toBuffer()
    expect(await annotate(one)).toEqual([])
    expect(await annotate(paint(320, 200, () => [180, 170, 160]))).toEqual([])
  })

  it('value: labels photographs', async () => {
    for (const { picture, landmarks } of await demoFaces()) {
      const [found, ...others] = await annotate(picture, { lips: false, eyes: false })
      expect(others).toEqual([])
      expect(found.score).toBeGreaterThan(0.9)
      expect(landmarkError(found.landmarks, landmarks)).toBeLessThan(0.003)
      expect(found.embedding.length).toBe(128)
      expect(found.embedding.every(Number.isFinite)).toBe(true)
      const share = (mask: { data: ArrayLike<number> }) =>
        Array.from(mask.data).reduce((sum, value) => sum + value, 0) / 224 ** 2
      expect(share(found.faceRegion)).toBeGreaterThan(0.3)
      expect(share(found.faceRegion)).toBeLessThan(0.7)
      expect(share(found.skinProbability)).toBeGreaterThan(0.2)
    }
  })

  it('value: a turned file gives the same face (EXIF)', async () => {
    const { picture } = await demoFace(1)
    const image = sharp(picture.data, { raw: { width: 256, height: 256, channels: 3 } })
    const file = await image.clone().rotate(90).withMetadata({ orientation: 8 }).png().toBuffer()
    const [[straight], [upright]] = [await annotate(picture), await annotate(file)]
    upright.landmarks.data.forEach((value, i) => expect(value).toBeCloseTo(straight.landmarks.data[i], 3))
  })

  it('value: every face of a picture that lies on its side or stands on its head', async () => {
    // Beside them, one that stands upright.
    const [first, second, third] = await demoFaces()
    const parts = [turned(first.picture, 1), turned(second.picture, 2), third.picture]
    const picture = paste(
      768,
      256,
      parts.map((part, i) => [part, 256 * i, 0]),
    )
    const truths = [
      turnedPoints(first.landmarks, [256, 256], 1),
      turnedPoints(second.landmarks, [256, 256], 2),
      third.landmarks,
    ]
    const faces = await annotate(picture, { lips: false, eyes: false })
    expect(faces).toHaveLength(3)
    for (const { landmarks } of faces) {
      const column = Math.floor(landmarks.get(30, 0) / 256)
      const moved = applyTransform({ scale: 1, rotation: 0, translation: [-256 * column, 0] }, landmarks)
      expect(landmarkError(moved, truths[column])).toBeLessThan(0.02)
    }
  })

  it('value: the same landmarks in the dark', async () => {
    const { picture, landmarks } = await demoFace(1)
    const dark = ndarray(
      picture.data.map((value) => Math.round(0.06 * value)),
      [256, 256, 3],
    )
    const [face] = await annotate(dark, { lips: false, eyes: false })
    expect(landmarkError(face.landmarks, landmarks)).toBeLessThan(0.02)
  })
})
