import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { faceClasses, mirroredLabels } from '@facekit/annotate'
import {
  augmentSegmentation,
  classWeights,
  createSegmentationCounter,
  segmentationLoss,
} from '@facekit/annotate-training'
import { createRandom, faceLabels, labelOf, ShapeError, ValueError } from '@facekit/core'
import { checkGradient, expectNoLeak, hasWebgpu, testBackends, useBackend } from '@facekit/testing'

const random = createRandom(17)
const [B, h, w, C] = [2, 3, 4, 5]
const logits = [0, 1].map(() => Float32Array.from({ length: B * h * w * C }, () => random.normal(0, 2)))
const labels = (factor: number) =>
  Int32Array.from({ length: B * h * w * factor * factor }, () =>
    random.uniform() < 0.1 ? 255 : random.integer(C),
  )
const weights = [1, 0.5, 3, 0, 2]
const webgpu = await hasWebgpu()

/** The formula, in float64, pixel by pixel of the labels. */
function reference(outputs: Float32Array[], truth: Int32Array, factor: number, share: number[]): number {
  const [H, W] = [h * factor, w * factor]
  const totals = outputs.map(() => 0)
  let count = 0
  for (let i = 0; i < truth.length; i++) {
    const label = truth[i]
    if (label === 255) continue
    const [b, y, x] = [Math.floor(i / (H * W)), Math.floor((i % (H * W)) / W), i % W]
    const at = ((b * h + Math.floor(y / factor)) * w + Math.floor(x / factor)) * C
    count += weights[label]
    outputs.forEach((output, k) => {
      const row = [...output.subarray(at, at + C)]
      const largest = Math.max(...row)
      const log = largest + Math.log(row.reduce((sum, value) => sum + Math.exp(value - largest), 0))
      totals[k] += weights[label] * (log - row[label])
    })
  }
  const sum = share.reduce((a, b) => a + b)
  return totals.reduce((total, value, k) => total + (share[k] / sum) * (value / count), 0)
}

describe.each([...testBackends, ...(webgpu ? ['webgpu'] : [])])('segmentationLoss on %s', (backend) => {
  beforeAll(() => useBackend(backend))
  const tensors = () => logits.map((data) => tf.tensor4d(data, [B, h, w, C]))

  it.each([1, 2])('value: equals the formula in float64, labels %i times as fine', async (factor) => {
    const truth = labels(factor)
    const target = tf.tensor3d(truth, [B, h * factor, w * factor], 'int32')
    const loss = segmentationLoss(tensors(), target, { weights, outputs: [1, 3] })
    expect((await loss.data())[0]).toBeCloseTo(reference(logits, truth, factor, [1, 3]), 4)
    const single = segmentationLoss(tensors()[0], target, { weights })
    expect((await single.data())[0]).toBeCloseTo(reference([logits[0]], truth, factor, [1]), 4)
  })

  it('gradient: of the logits', async () => {
    const target = tf.tensor3d(labels(2), [B, 2 * h, 2 * w], 'int32')
    await checkGradient((a, b) => segmentationLoss([a, b] as tf.Tensor4D[], target, { weights }), tensors(), {
      step: backend === 'webgpu' ? 3e-2 : 1e-2,
    })
  })

  it('value: nothing that counts gives 0, and no gradient', async () => {
    const target = tf.fill([B, h, w], 255, 'int32') as tf.Tensor3D
    const { value, grad } = tf.valueAndGrad((x) => segmentationLoss(x as tf.Tensor4D, target))(tensors()[0])
    expect(Math.abs((await value.data())[0])).toBe(0)
    expect(Math.max(...(await grad.data()).map(Math.abs))).toBe(0)
  })

  it('memory: leaves one scalar', async () => {
    const target = tf.tensor3d(labels(1), [B, h, w], 'int32')
    const [a] = tensors()
    await expectNoLeak(() => segmentationLoss(a, target, { weights }).dispose())
  })

  it('value: augmentation moves pictures and labels alike, and exchanges left and right', async () => {
    const S = 24
    const truth = Int32Array.from({ length: S * S }, (_, i) =>
      i % S < S / 2 ? labelOf('l_eye') : labelOf('hair'),
    )
    const images = tf.tensor4d(
      Float32Array.from({ length: S * S * 3 }, (_, i) => (Math.floor(i / 3) % S < S / 2 ? 0.25 : 0.75)),
      [1, S, S, 3],
    )
    const target = tf.tensor3d(truth, [1, S, S], 'int32')
    const still = { rotation: 0, scale: 1, shift: 0, color: 0 }
    const flipped = augmentSegmentation(images, target, createRandom(1), { ...still, mirror: 1 })
    expect(flipped.labels.dtype).toBe('int32')
    const mirrored = await flipped.labels.data()
    expect([mirrored[0], mirrored[S - 1]]).toEqual([labelOf('hair'), labelOf('r_eye')])
    const bright = await flipped.images.data()
    expect(bright[0]).toBeCloseTo(0.75, 5)
    expect(bright[3 * S - 1]).toBeCloseTo(0.25, 5)
    const moved = augmentSegmentation(images, target, createRandom(4), { mirror: 0, color: 0, rotation: 0.5 })
    const [pictures, found] = [await moved.images.data(), await moved.labels.data()]
    let agree = 0
    let known = 0
    for (let i = 0; i < S * S; i++) {
      if (found[i] === 255) continue
      known++
      agree += Number(pictures[3 * i] < 0.5 === (found[i] === labelOf('l_eye')))
    }
    expect(known).toBeGreaterThan(0.5 * S * S)
    expect(agree / known).toBeGreaterThan(0.97)
  })
})

describe('segmentationLoss', () => {
  beforeAll(() => useBackend('cpu'))

  it('throws: shapes, types and weights that do not fit', () => {
    const x = tf.zeros<tf.Rank.R4>([1, 4, 4, 3])
    const truth = tf.zeros<tf.Rank.R3>([1, 4, 4], 'int32')
    expect(() => segmentationLoss(x, tf.zeros([1, 6, 6], 'int32'))).toThrow(
      'segmentationLoss: labels is [1, 6, 6], expected 4 x 4 as the logits, or a multiple',
    )
    expect(() => segmentationLoss([], truth)).toThrow(ShapeError)
    expect(() => segmentationLoss(x, tf.zeros([2, 4, 4], 'int32'))).toThrow(ShapeError)
    expect(() => segmentationLoss(x, tf.zeros([1, 4, 4]))).toThrow('int32')
    expect(() => segmentationLoss(x, truth, { weights: [1, 1] })).toThrow(ShapeError)
    expect(() => segmentationLoss(x, truth, { weights: [1, -1, 1] })).toThrow(ValueError)
    expect(() => segmentationLoss(x, truth, { outputs: [0] })).toThrow(ValueError)
  })
})

describe('classWeights', () => {
  it('value: equal parts at power 1, equal weights at power 0, a limit', () => {
    expect(classWeights([75, 25], { power: 1 })).toEqual([expect.closeTo(2 / 3, 6), expect.closeTo(2, 6)])
    expect(classWeights([3, 1], { power: 0 })).toEqual([1, 1])
    const [most, rare, absent] = classWeights([1e6, 1, 0], { limit: 10 })
    expect(rare / most).toBeCloseTo(10, 6)
    expect(absent).toBe(rare)
  })

  it('throws: frequencies that are none', () => {
    expect(() => classWeights([0, 0])).toThrow(ValueError)
    expect(() => classWeights([1, Number.NaN])).toThrow(ValueError)
  })
})

describe('createSegmentationCounter', () => {
  it('value: accuracy, intersection over union, groups', () => {
    const counter = createSegmentationCounter(4)
    counter.add([0, 0, 1, 1, 255], [0, 1, 1, 1, 2])
    const { accuracy, iou, meanIou } = counter.score()
    expect(accuracy).toBe(0.75)
    expect(iou).toEqual([0.5, 2 / 3, Number.NaN, Number.NaN])
    expect(meanIou).toBeCloseTo(7 / 12, 6)
    counter.add([1, 2], [2, 0])
    // Classes 1 and 2 as one: {01, 11, 11, 12} are in either group on one side at least, as is 20.
    expect(counter.groupIou([1, 2])).toBeCloseTo(3 / 5, 6)
    expect(() => counter.add([1], [])).toThrow(ShapeError)
  })
})

describe('the classes of CelebAMask-HQ', () => {
  it('value: names, face, mirror', () => {
    expect(faceLabels).toHaveLength(19)
    expect(faceClasses.map(labelOf)).toEqual([1, 2, 4, 5, 6, 7, 11, 12])
    expect(mirroredLabels[labelOf('l_ear')]).toBe(labelOf('r_ear'))
    expect(mirroredLabels[labelOf('l_lip')]).toBe(labelOf('l_lip'))
    expect(mirroredLabels.map((label) => mirroredLabels[label])).toEqual(faceLabels.map((_, i) => i))
  })
})
