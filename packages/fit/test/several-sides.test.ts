import { fitFace, type FitFaceOptions } from '@facekit/fit'
import { disposeParameters, type FaceParameters } from '@facekit/parameters'
import { createTinyFace, useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { randomParameters, syntheticAnnotation } from './synthetic-annotation.js'

const model = createTinyFace()
const SIDES = [-0.44, 0, 0.44]

/** Pictures of a face from several sides.
 *
 * @param yaws - radians
 * @param seen - whose landmarks are found in them
 */
const viewsOf = (truth: FaceParameters, yaws: readonly number[], seen = truth) =>
  Promise.all(
    yaws.map(async (yaw) => {
      const pose = { ...truth.pose, rotation: tf.tensor2d([[0, yaw, 0]]) }
      const { annotation, picture } = await syntheticAnnotation(model, { ...truth, pose }, 192)
      const other =
        seen === truth ? annotation : (await syntheticAnnotation(model, { ...seen, pose }, 192)).annotation
      const { landmarks } = other.alignment
      return {
        picture,
        annotation: { ...annotation, landmarks, alignment: { ...annotation.alignment, landmarks } },
      }
    }),
  )

/** How far the identity that is found lies from that of the pictures, in standard deviations. */
async function fitted(
  truth: FaceParameters,
  views: Awaited<ReturnType<typeof viewsOf>>,
  options: FitFaceOptions = {},
) {
  const { parameters, metrics } = await fitFace(
    views.map(({ picture }) => picture),
    views.map(({ annotation }) => annotation),
    model,
    options,
  )
  const [found] = await parameters.identity.array()
  const [known] = await truth.identity.array()
  disposeParameters(parameters)
  return {
    away: Math.hypot(...found.map((value, k) => value - known[k])),
    mean: Math.hypot(...known),
    landmarks: metrics.landmarkError,
  }
}

describe('fitFace of pictures from several sides', () => {
  beforeAll(() => useBackend('wasm'))

  it('value: what they show of the shape takes back what all landmarks are wrong about', async () => {
    const truth = randomParameters(model, 21)
    // Landmarks that regress to the mean face, in every picture in the same way.
    const seen = { ...truth, identity: tf.mul(truth.identity, 0.3) as tf.Tensor2D }
    const views = await viewsOf(truth, [-0.45, 0, 0.45], seen)
    const still = await fitted(truth, views, { shapeWeight: Infinity })
    // The model's few vertices tell their shape slowly.
    const moved = await fitted(truth, views, { iterations: 200, shapeWeight: 1e-4 })
    expect(moved.away).toBeLessThan(0.8 * still.away)
    // Pose and expression follow: 0.029 if they counted no more than identity does.
    expect(moved.landmarks).toBeLessThan(0.025)
  })

  it('value: without options three tell more of the identity than one', async () => {
    for (const seed of [21, 22]) {
      const truth = randomParameters(model, seed)
      const views = await viewsOf(truth, SIDES)
      const one = await fitted(truth, [views[1]])
      const three = await fitted(truth, views)
      expect(one.away).toBeLessThan(0.7 * one.mean)
      expect(three.away).toBeLessThan(0.7 * one.away)
    }
  }, 60_000)

  it('value: without options three take back more than one of what landmarks are wrong about, in each picture in the same way', async () => {
    const truth = randomParameters(model, 21)
    const seen = { ...truth, identity: tf.mul(truth.identity, 0.3) as tf.Tensor2D }
    const views = await viewsOf(truth, SIDES, seen)
    const one = await fitted(truth, [views[1]])
    const three = await fitted(truth, views)
    const still = await fitted(truth, views, { shapeWeight: Infinity })
    expect(three.away).toBeLessThan(0.7 * one.away)
    expect(three.away).toBeLessThan(0.5 * still.away)
  }, 60_000)
})
