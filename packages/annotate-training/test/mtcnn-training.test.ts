import { type Picture, createPyramid } from '@facekit/annotate'
import {
  type MtcnnTargets,
  type SceneFace,
  createMtcnnBatches,
  drawMtcnnWindows,
  mtcnnLoss,
} from '@facekit/annotate-training'
import { createRandom, ShapeError, ValueError } from '@facekit/core'
import { checkGradient, hasWebgpu, testBackends, useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import { beforeAll, describe, expect, it } from 'vitest'

const random = createRandom(2)
const B = 10
const numbers = (count: number) => Float32Array.from({ length: count }, () => random.normal())
const [logits, boxes, points] = [numbers(B * 2), numbers(B * 4), numbers(B * 10)]
const truth = { box: numbers(B * 4), points: numbers(B * 10) }
const face = [1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
const supervisionMask = [
  1, 1, 1, 1, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0,
]

/** The three losses, in float64. */
function reference(hardShare: number) {
  const entropy = face.map((label, i) => {
    const all = Math.log(Math.exp(logits[2 * i]) + Math.exp(logits[2 * i + 1]))
    return (all - logits[2 * i + label]) * supervisionMask[3 * i]
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
  const column = (k: number) => face.map((_, i) => supervisionMask[3 * i + k])
  return {
    face: mean(
      entropy,
      entropy.map((value, i) => (value >= hard ? supervisionMask[3 * i] : 0)),
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
    supervisionMask: tf.tensor2d(supervisionMask, [B, 3]),
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

describe('windows and batches for MTCNN', () => {
  beforeAll(() => useBackend('wasm'))

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
})
