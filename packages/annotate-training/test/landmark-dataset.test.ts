import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mirroredLandmarks } from '@facekit/annotate'
import {
  augmentLandmarks,
  createLandmarkBatches,
  openLandmarks,
  parseLandmarksJson,
  parseLandmarksMat,
  parsePts,
} from '@facekit/annotate-training'
import { AnnotationError, createRandom, readMatFile, ValueError } from '@facekit/core'
import { encodeMatFile as matFile, expectNoLeak, testBackends, useBackend } from '@facekit/testing'

const truth = Array.from({ length: 68 }, (_, k) => [10 + 3 * (k % 17), 20 + 5 * Math.floor(k / 17)])

/** Matlab counts pixels from 1, and stores column by column. */
const points2x68 = truth.flatMap(([x, y]) => [x + 1, y + 1])
const points68x2 = [...truth.map(([x]) => x + 1), ...truth.map(([, y]) => y + 1)]
const points3x68 = truth.flatMap(([x, y]) => [x + 2, y + 2, 7])

function expectTruth(points: { get(k: number, axis: number): number }, shift = 0.5): void {
  for (const [k, [x, y]] of truth.entries()) {
    expect(points.get(k, 0)).toBeCloseTo(x + shift, 4)
    expect(points.get(k, 1)).toBeCloseTo(y + shift, 4)
  }
}

describe('readers of landmarks', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'landmarks-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('value: .pts counts pixels from 1', () => {
    const body = truth.map(([x, y]) => `${x + 1} ${y + 1}`).join('\n')
    expectTruth(parsePts(`version: 1\nn_points: 68\n{\n${body}\n}\n`))
  })

  it('value: JSON counts them from 0', () => {
    expectTruth(parseLandmarksJson(JSON.stringify({ 'a.jpg': truth }))['a.jpg'])
  })

  it.each([
    [true, true],
    [false, true],
    [true, false],
  ])('value: .mat, compressed %s, little end first %s', async (compressed, little) => {
    const options = { compressed, little }
    const other = { name: 'roi', shape: [1, 4] as [number, number], values: [1, 2, 3, 4] }
    const both = [
      other,
      { name: 'pt2d', shape: [2, 68] as [number, number], values: points2x68, single: true },
    ]
    expectTruth(await parseLandmarksMat(matFile(both, options)))
    const upright = [{ name: 'pts_2d', shape: [68, 2] as [number, number], values: points68x2 }]
    expectTruth(await parseLandmarksMat(matFile(upright, options)))
    const space = [...both, { name: 'pt3d_68', shape: [3, 68] as [number, number], values: points3x68 }]
    expectTruth(await parseLandmarksMat(matFile(space, options)), 1.5)
    expectTruth(await parseLandmarksMat(matFile(space, options), 'pt2d'))
    const variables = await readMatFile(matFile(both, options))
    expect([...variables.keys()]).toEqual(['roi', 'pt2d'])
    expect([...variables.get('roi')!.data]).toEqual([1, 2, 3, 4])
  })

  it('throws: damaged files', async () => {
    expect(() => parsePts('68 points')).toThrow(AnnotationError)
    expect(() => parsePts('n_points: 68\n{ 1 2 }')).toThrow(/2 numbers/)
    expect(() => parsePts('{ 1 2 }')).toThrow(/68 points/)
    expect(() => parseLandmarksJson('[')).toThrow(/no JSON/)
    expect(() => parseLandmarksJson('{"a": [[1, 2]]}')).toThrow(/"a"/)
    const whole = matFile([{ name: 'pt2d', shape: [2, 68], values: points2x68 }])
    await expect(parseLandmarksMat(whole.subarray(0, 60))).rejects.toThrow(AnnotationError)
    await expect(readMatFile(whole.subarray(0, whole.length - 40))).rejects.toThrow(/damaged/)
    const broken = whole.slice()
    broken.fill(3, 140, 180)
    await expect(readMatFile(broken)).rejects.toThrow(/damaged/)
    const wrong = matFile([{ name: 'pt2d', shape: [2, 68], values: [1, 2, 3] }], { compressed: false })
    await expect(readMatFile(wrong)).rejects.toThrow(/\[2, 68\] has 3 numbers/)
    await expect(parseLandmarksMat(matFile([]))).rejects.toThrow(/no 68 points/)
    await expect(openLandmarks(folder)).rejects.toThrow(AnnotationError)
  })

  it('value: openLandmarks finds pictures by all three, and reads them', async () => {
    const picture = await sharp({ create: { width: 80, height: 60, channels: 3, background: '#804020' } })
      .png()
      .toBuffer()
    for (const name of ['AFW', 'landmarks/AFW', 'people/one', 'helen']) {
      await mkdir(join(folder, name), { recursive: true })
    }
    const put = (name: string, data: Uint8Array | string) => writeFile(join(folder, name), data)
    for (const name of ['AFW/a.png', 'AFW/b.png', 'AFW/none.png', 'people/one/0.png', 'helen/c.png']) {
      await put(name, picture)
    }
    await put('AFW/a.mat', matFile([{ name: 'pt2d', shape: [2, 68], values: points2x68 }]))
    await put('AFW/b.mat', matFile([{ name: 'pt2d', shape: [2, 68], values: points3x68.slice(0, 136) }]))
    await put('landmarks/AFW/b_pts.mat', matFile([{ name: 'pts_3d', shape: [68, 2], values: points68x2 }]))
    await put('AFW/none.mat', matFile([{ name: 'roi', shape: [1, 1], values: [1] }]))
    await put('people/landmarks.json', JSON.stringify({ 'one/0.png': truth, 'one/1.png': truth }))
    const body = truth.map(([x, y]) => `${x + 1} ${y + 1}`).join('\n')
    await put('helen/c.pts', `version: 1\nn_points: 68\n{\n${body}\n}`)
    const samples = await openLandmarks(folder)
    expect(samples.map(({ name }) => name)).toEqual([
      'AFW/a.png',
      'AFW/b.png',
      'helen/c.png',
      'people/one/0.png',
    ])
    expect(samples.map(({ identity }) => identity)).toEqual(['AFW', 'AFW', 'helen', 'people/one'])
    for (const sample of samples) expectTruth(sample.landmarks)
    expect((await samples[0].read()).shape).toEqual([60, 80, 3])
  })
})

describe('mirroredLandmarks', () => {
  it('value: twice is as before', () => {
    expect(mirroredLandmarks).toHaveLength(68)
    expect(mirroredLandmarks.map((k) => mirroredLandmarks[k])).toEqual(
      Array.from({ length: 68 }, (_, k) => k),
    )
    for (const [a, b] of [
      [0, 16],
      [36, 45],
      [48, 54],
      [60, 64],
      [31, 35],
      [21, 22],
      [40, 47],
      [66, 66],
    ])
      // prettier-ignore
      expect(mirroredLandmarks[a]).toBe(b)
  })
})

describe.each(testBackends)('augmentLandmarks on %s', (backend) => {
  beforeAll(() => useBackend(backend))
  const dots = [40, 30, 70, 40, 60, 76, 34, 66]
  const size = 100

  /** A soft dot around each place. */
  function drawDots(): Float32Array {
    const pixels = new Float32Array(size * size * 3)
    for (let i = 0; i < size * size; i++) {
      let value = 0
      for (let k = 0; k < 4; k++) {
        const [dx, dy] = [(i % size) + 0.5 - dots[2 * k], Math.floor(i / size) + 0.5 - dots[2 * k + 1]]
        value += Math.exp(-(dx * dx + dy * dy) / 8)
      }
      pixels.fill(Math.min(1, value), 3 * i, 3 * i + 3)
    }
    return pixels
  }

  it('value: landmarks move with what is under them', async () => {
    const images = tf.tensor4d(Float32Array.from([0, 1, 2].flatMap(() => [...drawDots()])), [
      3,
      size,
      size,
      3,
    ])
    const points = tf.tensor3d([...dots, ...dots, ...dots], [3, 4, 2])
    const options = { inputSize: 64, color: 0, occlusion: 0, flip: 0.7, rotation: 0.6, shift: 0.08 }
    const moved = augmentLandmarks(images, points, createRandom(8), options)
    expect(moved.images.shape).toEqual([3, 64, 64, 3])
    const [pixels, places] = [await moved.images.data(), await moved.points.data()]
    for (let b = 0; b < 3; b++) {
      for (let k = 0; k < 4; k++) {
        const [x, y] = [places[(b * 4 + k) * 2], places[(b * 4 + k) * 2 + 1]]
        if (x < 6 || y < 6 || x > 58 || y > 58) continue
        // The centre of brightness around a landmark is the landmark.
        let [mass, u, v] = [0, 0, 0]
        for (let row = Math.floor(y) - 4; row <= y + 4; row++) {
          for (let column = Math.floor(x) - 4; column <= x + 4; column++) {
            const value = pixels[((b * 64 + row) * 64 + column) * 3]
            mass += value
            u += value * (column + 0.5)
            v += value * (row + 0.5)
          }
        }
        expect(mass).toBeGreaterThan(2)
        expect(Math.hypot(u / mass - x, v / mass - y)).toBeLessThan(0.5)
      }
    }
    tf.dispose([images, points, moved])
  })

  it('value: a mirrored face has its landmarks in the right order', async () => {
    const places = Float32Array.from({ length: 136 }, (_, i) => 20 + ((i * 37) % 61))
    const [images, points] = [tf.zeros<tf.Rank.R4>([1, 100, 100, 3]), tf.tensor3d(places, [1, 68, 2])]
    const still = { inputSize: 64, shift: 0, rotation: 0, scale: [1.5, 1.5] as [number, number] }
    const plain = await augmentLandmarks(images, points, createRandom(1), { ...still, flip: 0 }).points.data()
    const flipped = await augmentLandmarks(images, points, createRandom(1), {
      ...still,
      flip: 1,
    }).points.data()
    for (let k = 0; k < 68; k++) {
      expect(flipped[2 * k]).toBeCloseTo(64 - plain[2 * mirroredLandmarks[k]], 3)
      expect(flipped[2 * k + 1]).toBeCloseTo(plain[2 * mirroredLandmarks[k] + 1], 3)
    }
  })
})

describe('createLandmarkBatches', () => {
  beforeAll(() => useBackend('wasm'))
  const samples = [0, 1, 2].map((i) => ({
    name: `${i}`,
    identity: '',
    landmarks: ndarray(
      Float32Array.from(truth.flat(), (value) => value + i),
      [68, 2],
    ),
    read: async () => ndarray(new Uint8Array(80 * 60 * 3).fill(80 * i), [60, 80, 3]),
  }))

  it('value: the same seed gives the same batches, also from a state', async () => {
    const options = { batch: 3, inputSize: 32, seed: 4 }
    const [a, b] = [createLandmarkBatches(samples, options), createLandmarkBatches(samples, options)]
    await a.next()
    const state: unknown = JSON.parse(JSON.stringify(a.state()))
    const [images, points] = await a.next()
    expect([images.shape, points.shape]).toEqual([
      [3, 32, 32, 3],
      [3, 68, 2],
    ])
    b.restore(state)
    const [sameImages, samePoints] = await b.next()
    expect(await sameImages.data()).toEqual(await images.data())
    expect(await samePoints.data()).toEqual(await points.data())
    expect(() => b.restore({})).toThrow(ValueError)
    await expectNoLeak(async () => tf.dispose(await a.next()))
  })

  it('value: in the given order', async () => {
    const still = { shift: 0, rotation: 0, flip: 0, color: 0, occlusion: 0, inputSize: 32 }
    const batches = createLandmarkBatches(samples, { batch: 2, order: 'given', ...still })
    const brightness = async () => {
      const [images] = await batches.next()
      return [...(await tf.mean(images, [1, 2, 3]).data())].map((value) => Math.round(255 * value))
    }
    expect(await brightness()).toEqual([0, 80])
    expect(await brightness()).toEqual([160, 0])
  })

  it('throws: no samples', () => {
    expect(() => createLandmarkBatches([])).toThrow(ValueError)
  })
})
