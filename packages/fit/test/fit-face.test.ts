import { disposeParameters, neutralParameters, type FaceParameters } from '@facekit/parameters'
import { evaluateAlbedo } from '@facekit/morphable'
import { fitFace, type FitFaceOptions, type FitProgress } from '@facekit/fit'
import type { LossTerm } from '@facekit/losses'
import { createTinyFace, testBackends, useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import ndarray, { type NdArray } from 'ndarray'
import { beforeAll, describe, expect, it } from 'vitest'
import { denseFace, seeDense } from './dense-face.js'
import { randomParameters, syntheticAnnotation } from './synthetic-annotation.js'

const model = createTinyFace()

describe.each(testBackends)('fitFace on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it('value: finds a rendered face again', async () => {
    const truth = randomParameters(model, 5)
    const { annotation, picture } = await syntheticAnnotation(model, truth)
    const result = await fitFace(picture, annotation, model, { iterations: 40 })
    expect(result.metrics.landmarkError).toBeLessThan(0.01)
    expect(result.metrics.colorError).toBeLessThan(0.02)
    expect(result.history.at(-1)!.total).toBeLessThan(result.history[0].total)
    const difference = tf.tidy(() => {
      const found = evaluateAlbedo(model, result.parameters.albedo).diffuse
      return tf.mean(tf.abs(tf.sub(found, evaluateAlbedo(model, truth.albedo).diffuse))).dataSync()[0]
    })
    expect(difference).toBeLessThan(0.06)
  })

  it('memory: leaves the parameters and nothing else', async () => {
    const { annotation, picture } = await syntheticAnnotation(model, randomParameters(model, 6))
    const run = async (iterations: number) => {
      const before = tf.memory().numTensors
      const result = await fitFace(picture, annotation, model, { iterations })
      disposeParameters(result.parameters)
      return tf.memory().numTensors - before
    }
    await run(1)
    expect(await run(1)).toBe(0)
    expect(await run(5)).toBe(0)
  })
})

describe('fitFace', () => {
  beforeAll(() => useBackend('wasm'))

  it('value: the same input gives the same numbers', async () => {
    const { annotation, picture } = await syntheticAnnotation(model, randomParameters(model, 7))
    const run = async () => {
      const { parameters } = await fitFace(picture, annotation, model, { iterations: 5 })
      return parameters.albedo.array()
    }
    expect(await run()).toEqual(await run())
  })

  it('value: a start takes the place of landmarks and light; without steps it is only measured', async () => {
    const truth = randomParameters(model, 9)
    const { annotation, picture } = await syntheticAnnotation(model, truth)
    const stages: string[] = []
    const onProgress = ({ stage }: FitProgress) => void stages.push(stage)
    const options = { start: truth, iterations: 0, onProgress }
    const { parameters, metrics } = await fitFace(picture, annotation, model, options)
    expect(stages).toEqual([])
    expect(metrics.landmarkError).toBeLessThan(1e-4)
    expect(metrics.colorError).toBeLessThan(5e-3)
    for (const [a, b] of [
      [parameters.identity, truth.identity],
      [parameters.illumination.shininess, truth.illumination.shininess],
      [parameters.pose.scale, truth.pose.scale],
    ]) {
      expect(tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]).toBeLessThan(1e-4)
    }
    const moved = { ...truth, albedo: tf.zerosLike(truth.albedo) }
    const refined = await fitFace(picture, annotation, model, { start: moved, iterations: 15 })
    expect(refined.history.at(-1)!.total).toBeLessThan(refined.history[0].total)
  })

  it('value: a prior keeps the identity near, and its point light', async () => {
    const truth = randomParameters(model, 11)
    const { annotation, picture } = await syntheticAnnotation(model, truth)
    const identity = (result: { parameters: { identity: tf.Tensor } }) =>
      tf.tidy(() => tf.mean(tf.abs(tf.sub(result.parameters.identity, truth.identity))).dataSync()[0])
    const near = await fitFace(picture, annotation, model, { prior: truth, iterations: 0 })
    const alone = await fitFace(picture, annotation, model, { iterations: 0 })
    expect(identity(near)).toBeLessThan(identity(alone))
    const { lightPosition } = truth.illumination
    const found = near.parameters.illumination.lightPosition
    expect(tf.max(tf.abs(tf.sub(found, lightPosition))).dataSync()[0]).toBeLessThan(0.1)
  })

  it('value: two pictures of a person share identity and albedo', async () => {
    const truth = randomParameters(model, 8)
    const turned = { ...truth, pose: { ...truth.pose, rotation: tf.tensor2d([[0, 0.4, 0]]) } }
    const both = [await syntheticAnnotation(model, truth), await syntheticAnnotation(model, turned)]
    const { parameters, metrics, landmarks } = await fitFace(
      both.map(({ picture }) => picture),
      both.map(({ annotation }) => annotation),
      model,
      { iterations: 20 },
    )
    const [first, second] = await parameters.identity.array()
    expect(first).toEqual(second)
    const yaw = (await parameters.pose.rotation.array()).map((row) => row[1])
    const trueYaw = (await truth.pose.rotation.array())[0][1]
    expect(Math.abs(yaw[0] - trueYaw)).toBeLessThan(0.12)
    expect(Math.abs(yaw[1] - 0.4)).toBeLessThan(0.12)
    expect(metrics.landmarkError).toBeLessThan(0.02)
    expect(landmarks).toHaveLength(2)
  })

  it('value: a clean picture moves the shape towards the truth, one that light and colours do not explain hardly moves it', async () => {
    const truth = randomParameters(model, 21)
    const seen = { ...truth, identity: tf.mul(truth.identity, 0.3) as tf.Tensor2D }
    const { annotation, picture } = await syntheticAnnotation(model, truth, 192)
    const { landmarks } = (await syntheticAnnotation(model, seen, 192)).annotation.alignment
    const identity = async (image: NdArray<Float32Array>, iterations: number, prior?: FaceParameters) => {
      const alignment = { ...annotation.alignment, image, landmarks }
      const labels = { ...annotation, landmarks, alignment }
      const { parameters } = await fitFace(picture, labels, model, { iterations, ...(prior && { prior }) })
      const [found] = await parameters.identity.array()
      disposeParameters(parameters)
      return found
    }
    const distance = (a: number[], b: number[]) => Math.hypot(...a.map((value, k) => value - b[k]))
    const [known] = await truth.identity.array()
    const { image } = annotation.alignment
    const still = await identity(image, 40)
    const moved = await identity(image, 200)
    // With what a regressor says the shape moves after ten steps, not after forty.
    const [expected, soon] = [await identity(image, 10, seen), await identity(image, 40, seen)]
    expect(distance(soon, known)).toBeLessThan(0.9 * distance(expected, known))
    expect(distance(moved, known)).toBeLessThan(0.9 * distance(still, known))
    // A shadow falls on one side of the face.
    const size = image.shape[0]
    const shadow = ndarray(
      Float32Array.from(image.data, (value, i) => (Math.floor(i / 3) % size < 0.4 * size ? 0.3 : 1) * value),
      image.shape,
    )
    const [stillShaded, shaded] = [await identity(shadow, 40), await identity(shadow, 200)]
    expect(distance(shaded, stillShaded)).toBeLessThan(0.5 * distance(moved, still))
  })

  it('smoke: reports progress of every stage', async () => {
    const { annotation, picture } = await syntheticAnnotation(model, randomParameters(model, 9))
    const seen: FitProgress[] = []
    await fitFace(picture, annotation, model, {
      iterations: 3,
      onProgress: (progress) => seen.push(progress),
    })
    expect(seen.map(({ stage }) => stage)).toEqual([
      'landmarks',
      'light',
      'appearance',
      'appearance',
      'appearance',
    ])
    expect(seen.at(-1)!.iteration).toBe(3)
  })

  it('throws: the reason of an aborted signal, and frees its tensors', async () => {
    const { annotation, picture } = await syntheticAnnotation(model, randomParameters(model, 9))
    const controller = new AbortController()
    const before = tf.memory().numTensors
    const run = fitFace(picture, annotation, model, {
      signal: controller.signal,
      onProgress: ({ iteration }) => iteration === 2 && controller.abort(new Error('enough')),
    })
    await expect(run).rejects.toThrow('enough')
    expect(tf.memory().numTensors - before).toBe(0)
  })

  it('throws: on labels that do not belong together', async () => {
    const { annotation, picture } = await syntheticAnnotation(model, randomParameters(model, 9))
    await expect(fitFace([picture, picture], annotation, model)).rejects.toThrow(
      '2 photographs but 1 annotations',
    )
    const elsewhere = { ...annotation, box: { x: 500, y: 0, width: 10, height: 10 } }
    await expect(fitFace(picture, elsewhere, model)).rejects.toThrow('outside of its photograph')
    const cut = { ...annotation, faceRegion: ndarray(new Float32Array(4), [2, 2]) }
    await expect(fitFace(picture, cut, model)).rejects.toThrow('fitFace: annotation 0: faceRegion is [2, 2]')
    await expect(fitFace(picture, annotation, model, { iterations: -1 })).rejects.toThrow('iterations is -1')
  })

  it('throws: on a start or a prior that does not fit, each by its own name, and on both at once', async () => {
    const truth = randomParameters(model, 9)
    const { annotation, picture } = await syntheticAnnotation(model, truth)
    const run = (options: FitFaceOptions) => fitFace(picture, annotation, model, options)
    const two = { ...truth, identity: tf.zeros([2, model.layout.identity]) }
    const flat = { ...truth, pose: { ...truth.pose, scale: tf.ones([1]) } }
    const remedy = 'give one row for each photograph, of this model'
    await expect(run({ start: two })).rejects.toThrow(
      `fitFace: start: identity is [2, ${model.layout.identity}], expected [B=1, ${model.layout.identity}]; ${remedy}`,
    )
    await expect(run({ prior: two })).rejects.toThrow('fitFace: prior: identity is [2, ')
    await expect(run({ start: flat })).rejects.toThrow('fitFace: start: pose.scale is [1], expected [B=1, 1]')
    await expect(run({ prior: flat })).rejects.toThrow('fitFace: prior: pose.scale is [1], expected [B=1, 1]')
    await expect(run({ priorShare: 0.5 })).rejects.toThrow('fitFace: priorShare is given without a prior')
    await expect(run({ prior: truth, priorShare: 2 })).rejects.toThrow('fitFace: priorShare')
    await expect(run({ start: truth, prior: truth })).rejects.toThrow(
      'fitFace: start and prior are both given, expected one',
    )
  })

  it('value: more steps change colours, and leave landmarks and vertices where they are', async () => {
    const { annotation, picture } = await syntheticAnnotation(model, randomParameters(model, 12))
    const run = async (iterations: number) => {
      const { parameters, metrics, heads, uncertainty, history } = await fitFace(picture, annotation, model, {
        iterations,
      })
      const shape = [...parameters.identity.dataSync(), ...parameters.expression.dataSync()]
      return { shape, metrics, landmarks: heads[0].landmarks3d.data, uncertainty, history }
    }
    const [few, many] = [await run(3), await run(30)]
    expect(many.shape).toEqual(few.shape)
    expect(many.landmarks).toEqual(few.landmarks)
    expect(many.metrics.landmarkError).toBe(few.metrics.landmarkError)
    expect(many.metrics.colorError).toBeLessThan(few.metrics.colorError)
    const totals = many.history.map(({ total }) => total)
    expect(totals.length).toBeGreaterThan(5)
    expect(totals).toEqual(totals.toSorted((a, b) => b - a))
    expect(many.uncertainty).toHaveLength(model.vertexCount)
    expect(Math.min(...many.uncertainty!)).toBeGreaterThan(0)
  })

  it('value: a shape that may move stays near what the landmarks say of it, however many steps', async () => {
    const truth = randomParameters(model, 13)
    const { annotation, picture } = await syntheticAnnotation(model, truth)
    const distance = async (options: FitFaceOptions) => {
      const { parameters } = await fitFace(picture, annotation, model, options)
      return tf.tidy(() => tf.sum(tf.square(tf.sub(parameters.identity, truth.identity))).dataSync()[0])
    }
    const still = await distance({ iterations: 0 })
    const [few, many] = [
      await distance({ iterations: 60, shapeWeight: 0.1 }),
      await distance({ iterations: 120, shapeWeight: 0.1 }),
    ]
    expect(few).toBeLessThan(1.1 * still)
    expect(many).toBeLessThan(1.1 * still)
  })

  it('value: the landmark error is that of what the fit was given, the check that of the other landmarks', async () => {
    const dense = denseFace()
    const { layout } = dense
    const state = new Float64Array(8 + layout.identity + layout.expression)
    const { annotation, picture } = await syntheticAnnotation(dense, neutralParameters(dense.layout))
    const { size } = annotation.alignment
    const seen = seeDense(dense, state, [0.05, 0.05], 3)
    // Both are of the same face, in pictures of different sizes.
    const scaled = (values: Float32Array) => values.map((value) => (value * size) / 224)
    const inCrop = (points: typeof seen.positions) => ndarray(scaled(points.data), points.shape)
    const denseLandmarks = {
      positions: inCrop(seen.positions),
      landmarks: inCrop(seen.landmarks),
      deviations: scaled(seen.deviations),
      depths: scaled(seen.depths),
      depthDeviations: scaled(seen.depthDeviations),
    }
    const moved = ndarray(
      annotation.alignment.landmarks.data.map((value) => value + 3),
      [68, 2],
    )
    const given = { ...annotation, denseLandmarks, alignment: { ...annotation.alignment, landmarks: moved } }
    const { metrics } = await fitFace(picture, given, dense, { iterations: 0 })
    expect(metrics.landmarkError).toBeLessThan(0.01)
    expect(metrics.landmarkCheck).toBeGreaterThan(0.02)
    const alone = await fitFace(picture, annotation, dense, { iterations: 0 })
    expect(alone.metrics.landmarkCheck).toBe(alone.metrics.landmarkError)
  })

  it('value: a longer lens stands farther away and the face is found as large', async () => {
    const { annotation, picture } = await syntheticAnnotation(model, randomParameters(model, 14))
    const options = { iterations: 0, focalLength: 2 * 1015 * (112 / 224) }
    const { camera, metrics, parameters } = await fitFace(picture, annotation, model, options)
    expect(camera.distance).toBeCloseTo(2000, 3)
    expect(Math.tan(camera.fieldOfView / 2)).toBeCloseTo(Math.tan(112 / 1015 / 2), 3)
    expect(metrics.landmarkError).toBeLessThan(0.02)
    expect(parameters.pose.scale.dataSync()[0]).toBeCloseTo(1, 0)
  })

  it('throws: on a focal length beside what it would contradict, and one that is none', async () => {
    const truth = randomParameters(model, 9)
    const { annotation, picture } = await syntheticAnnotation(model, truth)
    const run = (options: FitFaceOptions) => fitFace(picture, annotation, model, options)
    await expect(run({ focalLength: 900, start: truth })).rejects.toThrow(
      'focalLength and start are both given',
    )
    await expect(run({ focalLength: -1 })).rejects.toThrow('focalLength')
    await expect(
      fitFace([picture, picture], [annotation, annotation], model, { focalLength: 'estimate' }),
    ).rejects.toThrow("focalLength is 'estimate' for 2 photographs")
  })

  it('throws: names the term that is not finite', async () => {
    const { annotation, picture } = await syntheticAnnotation(model, randomParameters(model, 9))
    const compute: LossTerm['compute'] = ({ parameters }) => tf.mul(tf.sum(parameters.albedo), Number.NaN)
    const losses = [{ name: 'broken', weight: 1, compute }]
    await expect(fitFace(picture, annotation, model, { losses })).rejects.toThrow('broken is not finite')
  })
})
