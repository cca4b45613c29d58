import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { ShapeError, ValueError } from '@facekit/core'
import { neutralParameters } from '@facekit/parameters'
import {
  hybridLoss,
  identityLoss,
  innerMouthLoss,
  landmarkLoss,
  paperLossTerms,
  photometricLoss,
  readHybridLoss,
  regularizationLoss,
  uniformLoss,
  type LossContext,
  type LossTerm,
} from '@facekit/losses'
import { checkGradient, expectNoLeak, testBackends, useBackend } from '@facekit/testing'
import { sample } from './references.js'

const number = async (x: tf.Tensor) => (await x.data())[0]

function createContext(): LossContext {
  const picture = (seed: number, channels: number) => sample<tf.Tensor4D>(seed, [2, 6, 5, channels]).tensor
  const parameters = neutralParameters({ identity: 4, expression: 3, albedo: 2 }, 2)
  return {
    inputImage: picture(1, 3),
    faceRegion: picture(2, 1),
    skinProbability: picture(3, 1),
    landmarks: sample<tf.Tensor3D>(4, [2, 68, 2], 0, 224).tensor,
    innerMouth: picture(5, 1),
    embed: (images) => tf.mean(images, [1, 2]) as tf.Tensor2D,
    rendering: {
      image: picture(6, 3),
      diffuse: picture(7, 3),
      specular: picture(8, 3),
      // A third of the pixels is covered wholly.
      mask: tf.clipByValue(tf.mul(picture(9, 1), 1.5), 0, 1) as tf.Tensor4D,
      innerMouth: picture(10, 1),
      landmarks: sample<tf.Tensor3D>(11, [2, 68, 2], 0, 224).tensor,
      litDiffuse: sample<tf.Tensor3D>(12, [2, 20, 3]).tensor,
    },
    parameters: { ...parameters, identity: sample<tf.Tensor2D>(13, [2, 4], -1).tensor },
  }
}

const fixed = (name: string, value: number, weight: LossTerm['weight'] = 1): LossTerm => ({
  name,
  weight,
  compute: () => tf.scalar(value),
})

describe.each(testBackends)('hybridLoss on %s', (backend) => {
  let context: LossContext
  beforeAll(async () => {
    await useBackend(backend)
    context = createContext()
  })

  it('value: weighted sum, and the terms without their weights', async () => {
    const { total, terms } = hybridLoss([fixed('a', 2, 3), fixed('total', 5, (i) => i / 10)], context, 20)
    expect(await number(total)).toBeCloseTo(2 * 3 + 5 * 2, 5)
    expect(Object.keys(terms)).toEqual(['a', 'total'])
    expect(await number(terms.total)).toBe(5)
  })

  it('value: terms of weight 0 and terms that do not apply are not computed', async () => {
    const never = (): tf.Scalar => {
      throw new Error('computed')
    }
    const { total, terms } = hybridLoss(
      [
        { name: 'off', weight: 0, compute: never },
        { name: 'later', weight: (i) => (i < 10 ? 0 : 1), compute: never },
        { name: 'lacking', weight: 1, compute: never, applies: () => false },
        fixed('on', 4),
      ],
      context,
      9,
    )
    expect(Object.keys(terms)).toEqual(['on'])
    expect(await number(total)).toBe(4)
    expect(await number(hybridLoss([], context).total)).toBe(0)
  })

  it('value: the paper`s terms, each with the paper`s weight', async () => {
    const { rendering, parameters } = context
    const embed = context.embed!
    const expected: Record<string, [number, tf.Scalar]> = {
      identity: [0.2, identityLoss(embed(context.inputImage), embed(rendering.image))],
      photometric: [1.92, photometricLoss({ ...context, ...rendering })],
      landmark: [1.8e-3, landmarkLoss(context.landmarks, rendering.landmarks)],
      innerMouth: [1.3e-3, innerMouthLoss(context.innerMouth!, rendering.innerMouth)],
      regularization: [5e-4, regularizationLoss(parameters)],
      uniform: [5, uniformLoss(rendering.litDiffuse, parameters.illumination.sphericalHarmonics)],
    }
    const early = await readHybridLoss(hybridLoss(paperLossTerms(), context, 49_999))
    const late = await readHybridLoss(hybridLoss(paperLossTerms(), context, 50_000))
    expect(Object.keys(late.terms)).toEqual(Object.keys(expected))
    expect(Object.keys(early.terms)).not.toContain('innerMouth')
    let total = 0
    for (const [name, [weight, loss]] of Object.entries(expected)) {
      expect(late.terms[name]).toBeCloseTo(await number(loss), 4)
      total += weight * (await number(loss))
    }
    expect(late.total).toBeCloseTo(total, 4)
    expect(late.total - early.total).toBeCloseTo(1.3e-3 * late.terms.innerMouth, 4)
  })

  it('value: weights and schedules are overridden by name', async () => {
    const off = { identity: 0, photometric: 0, landmark: 0, regularization: 0 }
    const terms = paperLossTerms({ weights: { ...off, innerMouth: 2, uniform: (i) => i } })
    const { total, terms: values } = await readHybridLoss(hybridLoss(terms, context, 3))
    expect(total).toBeCloseTo(2 * values.innerMouth + 3 * values.uniform, 4)
  })

  it('value: the network can see the face in front of the picture', async () => {
    let seen: tf.Tensor4D | undefined
    const embed = (images: tf.Tensor4D) => {
      seen = tf.keep(tf.clone(images))
      return context.embed!(images)
    }
    const [term] = paperLossTerms({ identityBackground: 'picture' })
    const rendering = {
      ...context.rendering,
      image: tf.zerosLike(context.rendering.image),
      mask: tf.zerosLike(context.rendering.mask),
    }
    const inputEmbedding = context.embed!(context.inputImage)
    expect(await number(term.compute({ ...context, embed, rendering, inputEmbedding }))).toBeCloseTo(0, 5)
    expect(await seen!.data()).toEqual(await context.inputImage.data())
  })

  it('value: white in front of white is white where it covers a half of a pixel', async () => {
    let seen: tf.Tensor4D | undefined
    const embed = (images: tf.Tensor4D) => {
      seen = tf.keep(tf.clone(images))
      return context.embed!(images)
    }
    const [term] = paperLossTerms({ identityBackground: 'picture' })
    const compute = (image: tf.Tensor, mask: tf.Tensor) =>
      term.compute({
        ...context,
        embed,
        inputImage: tf.onesLike(context.inputImage),
        rendering: { ...context.rendering, image: image as tf.Tensor4D, mask: mask as tf.Tensor4D },
      })
    compute(
      tf.fill(context.rendering.image.shape, 0.5 ** (1 / 2.2)),
      tf.fill(context.rendering.mask.shape, 0.5),
    )
    // Added after they were encoded, the two would make 1.23.
    expect(Math.max(...(await seen!.data()))).toBeCloseTo(1, 6)
    expect(Math.min(...(await seen!.data()))).toBeCloseTo(1, 6)
    // Dim, so that light does not add up to more than white, where the slope jumps.
    const { image, mask } = context.rendering
    const inputImage = tf.mul<tf.Tensor4D>(context.inputImage, 0.7)
    await checkGradient(
      (image, mask) =>
        term.compute({
          ...context,
          inputImage,
          // A network that hides nothing.
          embed: (images) => tf.reshape(images, [2, -1]),
          inputEmbedding: sample<tf.Tensor2D>(11, [2, 90], -1, 1).tensor,
          rendering: { ...context.rendering, image: image as tf.Tensor4D, mask: mask as tf.Tensor4D },
        }),
      [tf.mul(image, 0.6), tf.mul(mask, 0.9)],
    )
  })

  it('gradient: flows into the rendering, not into the labels', async () => {
    const terms = paperLossTerms({ weights: { innerMouth: 1 } })
    const through = tf.grad((x) => {
      const rendering = { ...context.rendering, image: tf.mul(context.rendering.image, x) as tf.Tensor4D }
      return hybridLoss(terms, { ...context, rendering }).total
    })
    expect(Math.abs(await number(through(tf.scalar(0.9))))).toBeGreaterThan(1e-4)
    const labels = tf.grad(
      (x) =>
        hybridLoss(terms, { ...context, inputImage: tf.mul(context.inputImage, x) as tf.Tensor4D }).total,
    )
    expect(() => labels(tf.scalar(0.9))).toThrow(/Cannot compute gradient/)
  })

  it('throws: what the context lacks is named, or skipped', () => {
    const { embed: _, innerMouth: __, ...poor } = context
    expect(() => hybridLoss(paperLossTerms(), poor)).toThrow(
      /identity term needs context.embed.*missing: 'skip'/,
    )
    const weights = { identity: 0, innerMouth: 1 }
    expect(() => hybridLoss(paperLossTerms({ weights }), poor)).toThrow(
      /innerMouth term needs context.innerMouth/,
    )
    const { terms } = hybridLoss(paperLossTerms({ missing: 'skip' }), poor, 60_000)
    expect(Object.keys(terms)).toEqual(['photometric', 'landmark', 'regularization', 'uniform'])
  })

  it('throws: for terms of one name, wrong weights, wrong results and unknown names', () => {
    expect(() => hybridLoss([fixed('a', 1), fixed('a', 2)], context)).toThrow(ValueError)
    expect(() => hybridLoss([fixed('a', 1, Number.NaN)], context)).toThrow(
      /weight of "a" at iteration 0 is NaN/,
    )
    const vector = { ...fixed('a', 1), compute: () => tf.ones([2]) as unknown as tf.Scalar }
    expect(() => hybridLoss([vector], context)).toThrow(ShapeError)
    expect(() => paperLossTerms({ weights: { mouth: 1 } as object })).toThrow(/weights has "mouth"/)
  })

  it('throws: readHybridLoss names the term that is NaN', async () => {
    const loss = hybridLoss([fixed('fine', 1), fixed('broken', Number.NaN)], context)
    await expect(readHybridLoss(loss)).rejects.toThrow(/term "broken" is NaN/)
  })

  it('memory: no tensors are left', async () => {
    const terms = paperLossTerms({ weights: { innerMouth: 1 } })
    await expectNoLeak(() => {
      const { total, terms: values } = hybridLoss(terms, context)
      tf.dispose([total, values])
    })
    await expectNoLeak(async () => {
      const loss = hybridLoss([fixed('a', 1)], context)
      await readHybridLoss(loss)
      tf.dispose([loss.total, loss.terms])
    })
  })
})
