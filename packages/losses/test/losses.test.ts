import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { ShapeError, ValueError } from '@facekit/core'
import {
  defaultLandmarkWeights,
  identityLoss,
  innerMouthLoss,
  landmarkLoss,
  photometricLoss,
  regularizationLoss,
  uniformLoss,
} from '@facekit/losses'
import { checkGradient, expectNoLeak, testBackends, useBackend } from '@facekit/testing'
import { photometricReference, sample, samplePictures } from './references.js'

const number = async (x: tf.Tensor) => (await x.data())[0]
const zero = <T extends tf.Tensor>(f: (x: T) => tf.Scalar, x: T) =>
  tf.grad(f as (x: tf.Tensor) => tf.Tensor)(x)

describe.each(testBackends)('losses on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  describe('identityLoss', () => {
    it('value: 1 - cos of 45 degrees', async () => {
      const loss = identityLoss(tf.tensor2d([[1, 0]]), tf.tensor2d([[3, 3]]))
      expect(loss.shape).toEqual([])
      expect(await number(loss)).toBeCloseTo(1 - Math.SQRT1_2, 6)
    })

    it('value: mean over pictures; 0 for the same direction, 2 for the opposite, 1 for nothing', async () => {
      const a = tf.tensor2d([
        [1, 2],
        [1, 2],
        [1, 2],
      ])
      expect(
        await number(
          identityLoss(
            a,
            tf.tensor2d([
              [2, 4],
              [-1, -2],
              [0, 0],
            ]),
          ),
        ),
      ).toBeCloseTo(1, 5)
      expect(await number(identityLoss(a, a))).toBeCloseTo(0, 6)
    })

    it('value: equals a float64 reference', async () => {
      const [a, b] = [sample<tf.Tensor2D>(1, [3, 128], -1), sample<tf.Tensor2D>(2, [3, 128], -1)]
      let expected = 0
      for (let i = 0; i < 3; i++) {
        const [x, y] = [a, b].map(({ values }) => Array.from(values.subarray(i * 128, (i + 1) * 128)))
        const dot = x.reduce((sum, value, k) => sum + value * y[k], 0)
        expected += (1 - dot / (Math.hypot(...x) * Math.hypot(...y))) / 3
      }
      expect(Math.abs((await number(identityLoss(a.tensor, b.tensor))) - expected)).toBeLessThan(1e-6)
    })

    it('gradient: both embeddings', async () => {
      const inputs = [sample<tf.Tensor2D>(1, [3, 16], -1).tensor, sample<tf.Tensor2D>(2, [3, 16], -1).tensor]
      await checkGradient((a, b) => identityLoss(a as tf.Tensor2D, b as tf.Tensor2D), inputs)
    })

    it('gradient: finite for an embedding of zeros', async () => {
      const gradient = await zero(
        (x: tf.Tensor2D) => identityLoss(tf.ones([1, 4]), x),
        tf.zeros([1, 4]),
      ).data()
      expect([...gradient].every(Number.isFinite)).toBe(true)
    })

    it('throws: when the shapes differ', () => {
      expect(() => identityLoss(tf.zeros([1, 4]), tf.zeros([1, 5]))).toThrow(ShapeError)
    })
  })

  describe('photometricLoss', () => {
    const tensors = (samples: ReturnType<typeof samplePictures>) => ({
      inputImage: samples.inputImage.tensor,
      diffuse: samples.diffuse.tensor,
      image: samples.image.tensor,
      mask: samples.mask.tensor,
      faceRegion: samples.faceRegion.tensor,
      skinProbability: samples.skinProbability.tensor,
    })

    it('value: two pixels by hand', async () => {
      const loss = photometricLoss({
        inputImage: tf.tensor4d([0, 0, 0, 0, 0, 0], [1, 1, 2, 3]),
        diffuse: tf.tensor4d([0.3, 0.4, 0, 0, 0, 1], [1, 1, 2, 3]), // lengths 0.5 and 1
        image: tf.tensor4d([0.6, 0.8, 0, 0, 0, 0.5], [1, 1, 2, 3]), // lengths 1 and 0.5
        mask: tf.ones([1, 1, 2, 1]),
        faceRegion: tf.ones([1, 1, 2, 1]),
        skinProbability: tf.tensor4d([0.7, 0.25], [1, 1, 2, 1]), // weights 1 and 0.25
        eta: 2,
      })
      // (1 * 0.5 + 0.25 * 1) / 1.25 + 2 * (1 + 0.5) / 2
      expect(await number(loss)).toBeCloseTo(0.6 + 1.5, 3)
    })

    it('value: equals a float64 reference', async () => {
      const samples = samplePictures()
      for (const eta of [0, 1, 0.3]) {
        const actual = await number(photometricLoss({ ...tensors(samples), eta }))
        // The smoothing takes away at most 1e-4 of each summand.
        expect(Math.abs(actual - photometricReference(samples, eta))).toBeLessThan(2.1e-4)
      }
    })

    it('value: a perfect picture and an empty mask cost nothing and pull nowhere', async () => {
      const samples = tensors(samplePictures())
      const perfect = { ...samples, diffuse: samples.inputImage, image: samples.inputImage }
      const empty = { ...samples, mask: tf.zeros<tf.Rank.R4>([2, 6, 5, 1]) }
      for (const input of [perfect, empty]) {
        expect(await number(photometricLoss(input))).toBe(0)
        for (const part of ['diffuse', 'image'] as const) {
          const gradient = zero((x: tf.Tensor4D) => photometricLoss({ ...input, [part]: x }), input[part])
          expect([...(await gradient.data())].every((value) => value === 0)).toBe(true)
        }
      }
    })

    it('value: a pixel that the face covers in part does not count', async () => {
      // Half of white's light over black, encoded, against white; and a whole pixel that is off by 0.2 in one channel.
      const half = 0.5 ** (1 / 2.2)
      const loss = photometricLoss({
        inputImage: tf.tensor4d([1, 1, 1, 0.5, 0.5, 0.5], [1, 1, 2, 3]),
        diffuse: tf.tensor4d([half, half, half, 0.7, 0.5, 0.5], [1, 1, 2, 3]),
        image: tf.tensor4d([half, half, half, 0.7, 0.5, 0.5], [1, 1, 2, 3]),
        mask: tf.tensor4d([0.5, 1], [1, 1, 2, 1]),
        faceRegion: tf.ones([1, 1, 2, 1]),
        skinProbability: tf.ones([1, 1, 2, 1]),
      })
      expect(await number(loss)).toBeCloseTo(0.2 + 0.2, 3)
    })

    it('value: a picture with an empty mask counts as 0 in the mean', async () => {
      const samples = tensors(samplePictures())
      const first = (x: tf.Tensor4D) => tf.slice4d(x, [0, 0, 0, 0], [1, -1, -1, -1])
      const alone = photometricLoss({
        inputImage: first(samples.inputImage),
        diffuse: first(samples.diffuse),
        image: first(samples.image),
        mask: first(samples.mask),
        faceRegion: first(samples.faceRegion),
        skinProbability: first(samples.skinProbability),
      })
      const mask = tf.concat([first(samples.mask), tf.zeros<tf.Rank.R4>([1, 6, 5, 1])])
      expect(await number(photometricLoss({ ...samples, mask }))).toBeCloseTo((await number(alone)) / 2, 6)
    })

    it('gradient: diffuse and image', async () => {
      const samples = tensors(samplePictures())
      await checkGradient(
        (diffuse, image) =>
          photometricLoss({
            ...samples,
            diffuse: diffuse as tf.Tensor4D,
            image: image as tf.Tensor4D,
            eta: 0.7,
          }),
        [samples.diffuse, samples.image],
      )
    })

    it('gradient: none through the masks', async () => {
      const samples = tensors(samplePictures())
      // At 1, so that what is covered wholly stays so.
      const brightness = tf.scalar(1)
      const through = (part: 'mask' | 'faceRegion' | 'skinProbability') =>
        tf.grad((x) =>
          photometricLoss({
            ...samples,
            diffuse: tf.mul(samples.diffuse, x),
            [part]: tf.mul(samples[part], x),
          }),
        )(brightness)
      for (const part of ['mask', 'faceRegion', 'skinProbability'] as const) {
        const scaled = tf.mul(samples[part], brightness)
        const plain = tf.grad((x) =>
          photometricLoss({ ...samples, diffuse: tf.mul(samples.diffuse, x), [part]: scaled }),
        )
        expect(await number(through(part))).toBeCloseTo(await number(plain(brightness)), 6)
      }
      // And nothing but the masks: no way from x to the loss is left.
      const only = (x: tf.Tensor) =>
        photometricLoss({
          ...samples,
          mask: tf.mul(samples.mask, x),
          skinProbability: tf.mul(samples.skinProbability, x),
        })
      expect(() => tf.grad(only)(brightness)).toThrow(/Cannot compute gradient/)
    })

    it('memory: no tensors are left', async () => {
      const samples = tensors(samplePictures())
      await expectNoLeak(() => photometricLoss(samples).dispose())
      await expectNoLeak(() =>
        tf
          .grad((image) => photometricLoss({ ...samples, image: image as tf.Tensor4D }))(samples.image)
          .dispose(),
      )
    })

    it('throws: for wrong shapes and a negative eta', () => {
      const samples = tensors(samplePictures())
      expect(() => photometricLoss({ ...samples, mask: tf.zeros([2, 6, 5, 3]) })).toThrow(
        /mask is \[2, 6, 5, 3\]/,
      )
      expect(() => photometricLoss({ ...samples, eta: -1 })).toThrow(ValueError)
    })
  })

  describe('landmarkLoss', () => {
    it('value: one outer mouth landmark off by 5 pixels', async () => {
      const labels = tf.zeros<tf.Rank.R3>([1, 68, 2])
      const moved = tf.buffer([1, 68, 2])
      moved.set(3, 0, 48, 0)
      moved.set(4, 0, 48, 1)
      expect(await number(landmarkLoss(labels, moved.toTensor() as tf.Tensor3D))).toBeCloseTo(
        (20 * 5) / 68,
        2,
      )
      expect(await number(landmarkLoss(labels, labels))).toBe(0)
    })

    it('value: weights are 20 for brows and outer mouth', () => {
      const heavy = defaultLandmarkWeights.flatMap((weight, i) => (weight === 20 ? [i] : []))
      expect(heavy).toEqual([
        ...Array.from({ length: 10 }, (_, i) => 17 + i),
        ...Array.from({ length: 12 }, (_, i) => 48 + i),
      ])
      expect(defaultLandmarkWeights.filter((weight) => weight === 1)).toHaveLength(46)
    })

    it.each(['for all', 'for each picture'])(
      'value: equals a float64 reference, weights %s',
      async (kind) => {
        const [a, b] = [
          sample<tf.Tensor3D>(1, [2, 68, 2], 0, 224),
          sample<tf.Tensor3D>(2, [2, 68, 2], 0, 224),
        ]
        const mu = kind === 'for all' ? sample(3, [68]) : sample(3, [2, 68])
        let expected = 0
        for (let i = 0; i < 136; i++) {
          const distance = Math.hypot(
            a.values[2 * i] - b.values[2 * i],
            a.values[2 * i + 1] - b.values[2 * i + 1],
          )
          expected += (mu.values[i % mu.values.length] * distance) / 136
        }
        const actual = await number(landmarkLoss(a.tensor, b.tensor, mu.tensor))
        expect(Math.abs(actual - expected) / expected).toBeLessThan(3e-5)
      },
    )

    it('gradient: projected, and 0 where it meets its label', async () => {
      const [a, b] = [sample<tf.Tensor3D>(1, [2, 68, 2], 0, 224), sample<tf.Tensor3D>(2, [2, 68, 2], 0, 224)]
      await checkGradient((x) => landmarkLoss(a.tensor, x as tf.Tensor3D), [b.tensor], { step: 0.3 })
      const gradient = await zero((x: tf.Tensor3D) => landmarkLoss(a.tensor, x), a.tensor).data()
      expect([...gradient].every((value) => value === 0)).toBe(true)
    })

    it('throws: when counts differ', () => {
      expect(() => landmarkLoss(tf.zeros([1, 68, 2]), tf.zeros([1, 67, 2]))).toThrow(ShapeError)
      expect(() => landmarkLoss(tf.zeros([1, 5, 2]), tf.zeros([1, 5, 2]))).toThrow(
        /weights is \[68\], expected \[L=5\]/,
      )
    })
  })

  describe('innerMouthLoss', () => {
    it('value: sums the difference over the pixels, means over the pictures', async () => {
      const labels = tf.zeros<tf.Rank.R4>([2, 8, 8, 1])
      const rendered = tf.concat([tf.mul(tf.ones([1, 8, 8, 1]), 0.25), tf.zeros([1, 8, 8, 1])]) as tf.Tensor4D
      expect(await number(innerMouthLoss(labels, rendered))).toBeCloseTo(8, 5)
      expect(await number(innerMouthLoss(rendered, labels))).toBeCloseTo(8, 5)
    })

    it('gradient: rendered, and 0 where it meets its label', async () => {
      const [a, b] = [sample<tf.Tensor4D>(1, [2, 8, 8, 1]), sample<tf.Tensor4D>(2, [2, 8, 8, 1], 0, 0.9)]
      await checkGradient((x) => innerMouthLoss(a.tensor, x as tf.Tensor4D), [b.tensor], {
        step: 1e-3,
        relativeTolerance: 2e-2,
      })
      const gradient = await zero((x: tf.Tensor4D) => innerMouthLoss(a.tensor, x), a.tensor).data()
      expect([...gradient].every((value) => value === 0)).toBe(true)
    })

    it('throws: when the shapes differ', () => {
      expect(() => innerMouthLoss(tf.zeros([1, 8, 8, 1]), tf.zeros([1, 8, 9, 1]))).toThrow(ShapeError)
    })
  })

  describe('regularizationLoss', () => {
    const coefficients = () => ({
      identity: tf.tensor2d([
        [1, 2],
        [0, 1],
      ]),
      expression: tf.tensor2d([[3], [0]]),
      albedo: tf.tensor2d([[0], [1]]),
    })

    it('value: sums of squares, mean over the pictures', async () => {
      expect(await number(regularizationLoss(coefficients()))).toBeCloseTo((14 + 2) / 2, 5)
      const weights = { identity: 2, expression: 0, albedo: 0.5 }
      expect(await number(regularizationLoss(coefficients(), weights))).toBeCloseTo((10 + 2.5) / 2, 5)
    })

    it('gradient: all coefficients', async () => {
      const { identity, expression, albedo } = coefficients()
      await checkGradient(
        (...x) => {
          const [identity, expression, albedo] = x as tf.Tensor2D[]
          return regularizationLoss({ identity, expression, albedo }, { expression: 3 })
        },
        [identity, expression, albedo],
      )
    })

    it('value: a model without expressions', async () => {
      const expression = tf.zeros<tf.Rank.R2>([2, 0])
      expect(await number(regularizationLoss({ ...coefficients(), expression }))).toBeCloseTo((5 + 2) / 2, 5)
    })

    it('throws: when batch sizes differ', () => {
      const expression = tf.zeros<tf.Rank.R2>([3, 1])
      expect(() => regularizationLoss({ ...coefficients(), expression })).toThrow(ShapeError)
    })
  })

  describe('uniformLoss', () => {
    it('value: two vertices and white light by hand', async () => {
      const lit = tf.tensor3d([1, 0, 0, 0, 0, 0], [1, 2, 3])
      expect(await number(uniformLoss(lit, tf.ones([1, 9, 3])))).toBeCloseTo(0.25, 6)
    })

    it('value: coloured light costs', async () => {
      const light = tf.buffer([1, 9, 3])
      light.set(3, 0, 4, 1) // mean 1: deviations -1, 2, -1
      expect(await number(uniformLoss(tf.ones([1, 5, 3]), light.toTensor() as tf.Tensor3D))).toBeCloseTo(6, 5)
    })

    it('value: equals a float64 reference', async () => {
      const [lit, light] = [sample<tf.Tensor3D>(1, [2, 40, 3]), sample<tf.Tensor3D>(2, [2, 9, 3], -1)]
      let expected = 0
      for (let b = 0; b < 2; b++) {
        for (let c = 0; c < 3; c++) {
          const t = Array.from({ length: 40 }, (_, i) => lit.values[(b * 40 + i) * 3 + c])
          const mean = t.reduce((sum, value) => sum + value) / 40
          expected += t.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 40 / 2
        }
        for (let k = 0; k < 9; k++) {
          const l = light.values.slice((b * 9 + k) * 3, (b * 9 + k) * 3 + 3)
          const mean = (l[0] + l[1] + l[2]) / 3
          expected += l.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 2
        }
      }
      expect(Math.abs((await number(uniformLoss(lit.tensor, light.tensor))) - expected)).toBeLessThan(1e-5)
    })

    it('gradient: albedo and light', async () => {
      const inputs = [sample(1, [2, 40, 3]).tensor, sample(2, [2, 9, 3], -1).tensor]
      await checkGradient((t, l) => uniformLoss(t as tf.Tensor3D, l as tf.Tensor3D), inputs)
    })

    it('memory: no tensors are left', async () => {
      const [lit, light] = [
        sample<tf.Tensor3D>(1, [2, 40, 3]).tensor,
        sample<tf.Tensor3D>(2, [2, 9, 3]).tensor,
      ]
      await expectNoLeak(() => uniformLoss(lit, light).dispose())
    })

    it('throws: when harmonics are not [B, 9, 3]', () => {
      expect(() => uniformLoss(tf.zeros([1, 4, 3]), tf.zeros([1, 4, 3]))).toThrow(ShapeError)
    })
  })
})
