import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadBaseModel } from '@facekit/base-model'
import type { MorphableModel } from '@facekit/morphable'
import {
  neutralParameters,
  packParameters,
  parametersFromTensors,
  parameterTensors,
  unpackParameters,
} from '@facekit/parameters'
import { createRegressor, type Backbone } from '@facekit/regressor'
import {
  createFaceSynthesizer,
  disposeBatch,
  type FaceSynthesizer,
  type SyntheticBatch,
} from '@facekit/synthetic'
import { useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copyWeights } from './copy-weights.js'
import { facePoints, type FacePoints } from './face-points.js'
import { photographBatches } from './photograph-batches.js'
import { readPhotographs, writePhotographs, type Photographs } from './photograph-file.js'
import { regressorBatches, type RegressorBatch } from './regressor-batches.js'
import { distillationLoss, metricOf, regressorLoss, seenPoints } from './regressor-loss.js'
import { regressorScores } from './regressor-scores.js'
import { shapeMetric } from './shape-metric.js'
import { trainRegressors } from './train-regressors.js'

describe('train-regressor', () => {
  let model: MorphableModel
  let face: FacePoints
  let rendered: SyntheticBatch

  beforeAll(async () => {
    await useBackend('wasm')
    model = await loadBaseModel({ variant: 'scans' })
    face = facePoints(model)
    const synthesizer = createFaceSynthesizer(model, {
      size: 224,
      batch: 2,
      seed: 5,
      pose: { roll: 10 },
      camera: { blur: 0, noise: 0, color: 0, compression: 0 },
    })
    rendered = synthesizer.next()
    synthesizer.dispose()
  })
  afterAll(() => {
    disposeBatch(rendered)
    face.dispose()
  })

  /** Gives the same pictures again and again: rendering takes a while here. */
  const still = (): FaceSynthesizer => {
    let picture = 0
    return {
      next: () => {
        picture += 2
        const { parameters } = rendered
        const copies = Object.entries(rendered)
          .filter(([, value]) => value instanceof tf.Tensor)
          .map(([name, value]) => [name, tf.clone(value as tf.Tensor)] as const)
        const own = parametersFromTensors(parameterTensors(parameters).map((tensor) => tf.clone(tensor)))
        return { ...Object.fromEntries(copies), parameters: own } as unknown as SyntheticBatch
      },
      state: () => ({ seed: 0, picture }),
      restore: (state) => void (picture = (state as { picture: number }).picture),
      profile: () => Promise.resolve([]),
      dispose: () => undefined,
    }
  }

  const distance = ([, points, , packed]: RegressorBatch) =>
    tf.tidy(() => {
      const seen = seenPoints(unpackParameters(packed, model.layout), face)
      return tf.max(tf.abs(tf.sub(seen, points))).dataSync()[0]
    })

  it('value: true parameters are seen where the pictures say, and score as perfect', async () => {
    const batches = regressorBatches(still(), { uses: 1, strength: 0 })
    const batch = await batches.next()
    expect(distance(batch)).toBeLessThan(0.05)
    const perfect = () => unpackParameters(tf.clone(batch[3]), model.layout)
    const scores = await regressorScores(perfect, model.layout, face, [batch])
    expect(scores.found).toBeCloseTo(100, 3)
    expect(scores.landmarks).toBeLessThan(0.05)
    expect(scores.color).toBeLessThan(1e-5)
    const dark = () => {
      const { illumination, ...rest } = perfect()
      const sphericalHarmonics = tf.mul(illumination.sphericalHarmonics, 0.1) as tf.Tensor3D
      return { ...rest, illumination: { ...illumination, sphericalHarmonics } }
    }
    const darker = await regressorScores(dark, model.layout, face, [batch])
    expect(darker.seenColor).toBeGreaterThan(2 * scores.seenColor)
    tf.dispose(batch)
    batches.dispose()
  })

  it('gradient: the colour of pixels that are seen pulls light towards that of the picture', async () => {
    const batches = regressorBatches(still(), { uses: 1, strength: 0 })
    const batch = await batches.next()
    const slope = (factor: number) =>
      tf.tidy(() => {
        const truth = unpackParameters(batch[3], model.layout)
        const loss = (gain: tf.Tensor) => {
          const { illumination } = truth
          const sphericalHarmonics = tf.mul(illumination.sphericalHarmonics, gain) as tf.Tensor3D
          const found = { ...truth, illumination: { ...illumination, sphericalHarmonics } }
          return regressorLoss(found, face, batch, { seen: 1 }).total
        }
        return tf.grad(loss)(tf.scalar(factor)).dataSync()[0]
      })
    expect(slope(2)).toBeGreaterThan(0)
    expect(slope(0.5)).toBeLessThan(0)
    tf.dispose(batch)
    batches.dispose()
  })

  it('gradient: what a teacher finds teaches, and is not taught', () => {
    const { layout } = model
    const packed = tf.tidy(() => packParameters(neutralParameters(layout, 1)))
    const width = packed.shape[1]
    const of = (rows: tf.Tensor) => unpackParameters(rows as tf.Tensor2D, layout)
    const loss = (found: tf.Tensor, teacher: tf.Tensor) => distillationLoss(of(found), of(teacher), face)
    const other = tf.tidy(() => tf.add(packed, tf.randomUniform([1, width], 0.5, 1, 'float32', 3)))
    const [toFound, toTeacher] = tf.grads(loss)([packed, other])
    expect(tf.tidy(() => loss(packed, packed).dataSync()[0])).toBe(0)
    expect(tf.tidy(() => loss(packed, other).dataSync()[0])).toBeGreaterThan(0.1)
    expect(tf.tidy(() => tf.max(tf.abs(toFound)).dataSync()[0])).toBeGreaterThan(0.01)
    expect(tf.tidy(() => tf.max(tf.abs(toTeacher)).dataSync()[0])).toBe(0)
    tf.dispose([packed, other, toFound, toTeacher])
  })

  it('value: a regressor learns from another one beside it; teachers that there are not are refused', async () => {
    const [pupil, teacher] = [1, 2].map((seed) =>
      createRegressor({ backbone: tiny, layout: model.layout, inputSize: 32, seed }),
    )
    const batches = regressorBatches(still(), { uses: 3 })
    const options = { regressors: { pupil, teacher }, face, batches, heldOut: [], rise: 2 }
    const distilled: number[] = []
    await trainRegressors({
      ...options,
      teachers: { pupil: 'teacher' },
      iterations: 16,
      learningRate: 1e-2,
      onProgress: ({ terms }) => distilled.push(terms['pupil/distilled/total']),
    })
    expect(Math.max(...distilled)).toBeGreaterThan(0)
    for (const name of ['pupil', 'nobody']) {
      const wrong = trainRegressors({ ...options, teachers: { pupil: name }, iterations: 1 })
      await expect(wrong).rejects.toThrow(`teachers has pupil: ${name}, expected two different ones`)
    }
    for (const regressor of [pupil, teacher]) regressor.dispose()
    batches.dispose()
  })

  it('value: where a picture is moved its points are moved with it', async () => {
    const [plain, moving] = [0, 1].map((strength) => regressorBatches(still(), { uses: 1, strength }))
    const [before, after] = [await plain.next(), await moving.next()]
    expect(distance(after)).toBeGreaterThan(0.5)
    // What lies at a point keeps its brightness, but for the changes of colour: the order of bright and dark ones stays.
    const looks = async ([images, points]: RegressorBatch) => {
      const [pixels, places] = [await images.data(), await points.data()]
      const [, size] = images.shape
      return Array.from({ length: points.shape[1] }, (_, k) => {
        const [x, y] = [Math.floor(places[3 * k]), Math.floor(places[3 * k + 1])]
        return x >= 0 && y >= 0 && x < size && y < size ? pixels[(y * size + x) * 3 + 1] : 0.5
      })
    }
    expect(correlation(await looks(before), await looks(after))).toBeGreaterThan(0.85)
    tf.dispose([before, after])
    plain.dispose()
    moving.dispose()
  })

  it('value: the metric is blind to changes of size, and 1 on average over people', () => {
    const all = Int32Array.from({ length: model.vertexCount }, (_, v) => v)
    const grown = { ...model, shape: { ...model.shape } }
    const { mean, identity } = model.shape
    const data = Float32Array.from(identity.data)
    // The first mode only makes the face larger.
    for (let i = 0; i < 3 * model.vertexCount; i++) data[i] = 0.01 * mean.data[i]
    grown.shape.identity = { ...identity, data } as typeof identity
    const metric = shapeMetric(grown, all)
    expect(Math.abs(metric[0])).toBeLessThan(1e-6)
    const modes = model.layout.identity
    const trace = Array.from({ length: modes }, (_, k) => metric[k * (modes + 1)]).reduce((a, b) => a + b)
    expect(trace).toBeCloseTo(1, 5)
    const one = tf.tidy(() => metricOf(tf.eye(modes), face.metrics.face).dataSync())
    expect(one.every((value) => value > 0)).toBe(true)
  })

  it('value: the loss falls, and a run in two parts ends where one in a single part does', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'regressors-'))
    const run = async (part: number | undefined, into?: string) => {
      const batches = regressorBatches(still(), { uses: 3 })
      const heldOut = [await batches.next()]
      const regressor = createRegressor({ backbone: tiny, layout: model.layout, inputSize: 32 })
      const stop = new AbortController()
      const losses: number[] = []
      const result = await trainRegressors({
        regressors: { tiny: regressor },
        face,
        batches,
        heldOut,
        iterations: 24,
        learningRate: 1e-2,
        rise: 2,
        signal: stop.signal,
        evaluateEvery: 1e6,
        ...(into !== undefined && { folder: into }),
        onProgress: ({ iteration, loss }) => {
          losses.push(loss)
          if (iteration === part) stop.abort()
        },
      })
      tf.dispose(heldOut)
      regressor.dispose()
      batches.dispose()
      return { ...result, losses }
    }
    const whole = await run(undefined)
    const first = await run(9, folder)
    expect(first.stoppedBy).toBe('signal')
    const second = await run(undefined, folder)
    expect(second.iterations).toBe(24)
    expect(second.loss).toBe(whole.loss)
    expect(whole.losses.at(-1)).toBeLessThan(0.6 * whole.losses[0])
    await rm(folder, { recursive: true })
  })

  /** The rendered faces as if they were photographs, upright in both. */
  async function asPhotographs(): Promise<Photographs> {
    const { image, parameters, landmarks } = rendered
    const [count, size] = image.shape
    const bytes = async (tensor: tf.Tensor) => Uint8Array.from(await tensor.data(), (value) => 255 * value)
    const twice = async (...tensors: tf.Tensor[]) => {
      const rows = tf.tidy(() =>
        tf.concat(
          tensors.map((tensor) => tf.reshape(tensor, [count, -1]), 1),
          1,
        ),
      )
      const both = tf.tidy(() => tf.concat([rows, rows], 1))
      const data = Float32Array.from(await both.data())
      tf.dispose([rows, both])
      return data
    }
    const { rotation, translation, scale } = parameters.pose
    return {
      count,
      size,
      model: model.name,
      people: ['A', 'B'],
      heldOut: Uint8Array.of(0, 1),
      pictures: await bytes(image),
      masks: new Uint8Array(count * size * size * 3).fill(255),
      landmarks: await twice(landmarks),
      identity: await twice(parameters.identity),
      expression: await twice(parameters.expression),
      pose: await twice(rotation, translation, scale),
    }
  }

  it('value: photographs are what their file says, upright or mirrored', async () => {
    const photographs = await asPhotographs()
    expect(readPhotographs(writePhotographs(photographs))).toEqual(photographs)
    const options = { layout: model.layout, batch: 2, strength: 0 }
    const batches = photographBatches(photographs, [0, 1], face, options)
    const seen = new Set<string>()
    const [pictures] = [rendered.image]
    for (let i = 0; i < 6; i++) {
      const batch = await batches.next()
      expect(distance(batch.slice(0, 4) as RegressorBatch)).toBeLessThan(0.05)
      const kinds = tf.tidy(() => {
        const all = tf
          .unstack(pictures)
          .flatMap((picture) => [picture, tf.reverse(picture as tf.Tensor3D, 1)])
        return tf.unstack(batch[0]).map((one) => {
          const distances = all.map((other) => tf.mean(tf.abs(tf.sub(one, other))).dataSync()[0])
          expect(Math.min(...distances)).toBeLessThan(0.004)
          return distances.indexOf(Math.min(...distances))
        })
      })
      for (const kind of kinds) seen.add(String(kind))
      tf.dispose(batch)
    }
    expect(seen.size).toBe(4)
    batches.dispose()
  })

  it('value: photographs beside rendered faces: both losses fall, and people who were held out are scored', async () => {
    const photographs = await asPhotographs()
    const batches = regressorBatches(still(), { uses: 3 })
    const regressor = createRegressor({ backbone: tiny, layout: model.layout, inputSize: 32 })
    const seen = photographBatches(photographs, [0, 1], face, { layout: model.layout, batch: 2 })
    const heldOut = [await seen.next()]
    const first: Record<string, number> = {}
    const last: Record<string, number> = {}
    const result = await trainRegressors({
      regressors: { tiny: regressor },
      face,
      batches,
      heldOut: [],
      photographs: { model, batches: seen, heldOut },
      iterations: 16,
      learningRate: 1e-2,
      rise: 2,
      evaluateEvery: 16,
      onProgress: ({ iteration, terms }) => Object.assign(iteration < 2 ? first : last, terms),
    })
    for (const name of ['tiny/total', 'tiny/photographs/total', 'tiny/photographs/photometric'])
      expect(last[name]).toBeLessThan(first[name])
    expect(result.evaluation?.['tiny/photographs/landmarks']).toBeGreaterThan(0)
    const other = createRegressor({ backbone: tiny, layout: { ...model.layout, albedo: 3 }, inputSize: 32 })
    const [copied, all] = copyWeights(regressor, other).split(' of ').map(Number)
    expect(copied).toBeGreaterThan(600)
    expect(copied).toBeLessThan(all)
    other.dispose()
    tf.dispose(heldOut)
    regressor.dispose()
    batches.dispose()
    seen.dispose()
  })
})

/** Two convolutions and the pixels they leave. */
const tiny: Backbone = {
  name: 'tiny',
  build(images, { nextSeed }) {
    const kernelInitializer = tfl.initializers.heNormal({ seed: nextSeed() })
    const conv = { filters: 8, kernelSize: 3, strides: 2, activation: 'relu', kernelInitializer } as const
    const x = tfl.layers.conv2d({ name: 'a', ...conv }).apply(images)
    const y = tfl.layers.conv2d({ name: 'b', ...conv }).apply(x)
    return tfl.layers.flatten({ name: 'flat' }).apply(y) as tfl.SymbolicTensor
  },
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [ma, mb] = [mean(a), mean(b)]
  const product = (u: readonly number[], mu: number, v: readonly number[], mv: number) =>
    u.reduce((sum, value, i) => sum + (value - mu) * (v[i] - mv), 0)
  return product(a, ma, b, mb) / Math.sqrt(product(a, ma, a, ma) * product(b, mb, b, mb))
}
