import { loadBaseModel } from '@facekit/base-model'
import { calibrateCovariance, fitDenseLandmarks, shapeUncertainty } from '@facekit/fit'
import { applySimilarity3d, fitSimilarity3d } from '@facekit/mesh'
import { createTinyFace, useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { denseFace, randomState, seeDense, shapeOf } from './dense-face.js'

const model = denseFace()
const independent = { noise: { share: 0 }, modelDeviation: 0.01 }
const coefficientsOf = ({ identity, expression }: { identity: Float32Array; expression: Float32Array }) =>
  Float32Array.of(...identity, ...expression)

describe('fitDenseLandmarks', () => {
  beforeAll(() => useBackend('wasm'))

  it('value: finds pose and shape again where points are exact', () => {
    for (const seed of [1, 2, 3]) {
      const truth = randomState(model, seed)
      const fit = fitDenseLandmarks(seeDense(model, truth, [0.01, 0.01], seed), model, independent)
      expect(fit.meanDistance).toBeLessThan(0.05)
      truth.subarray(0, 3).forEach((angle, i) => expect(fit.rotation[i]).toBeCloseTo(angle, 2))
      const found = coefficientsOf(fit)
      found.forEach((value, k) => expect(Math.abs(value - truth[8 + k])).toBeLessThan(0.1))
    }
  })

  it('value: depths tell what one view does not', () => {
    let [flat, deep] = [0, 0]
    for (let seed = 10; seed < 20; seed++) {
      const truth = randomState(model, seed)
      const seen = seeDense(model, truth, [1, 1], seed)
      const blind = { ...seen, depthDeviations: seen.depthDeviations.map(() => 1e4) }
      const distance = (fit: ReturnType<typeof fitDenseLandmarks>) =>
        fit.identity.reduce((sum, value, k) => sum + (value - truth[8 + k]) ** 2, 0)
      flat += distance(fitDenseLandmarks(blind, model, independent))
      deep += distance(fitDenseLandmarks(seen, model, independent))
    }
    expect(deep).toBeLessThan(0.5 * flat)
  })

  it('value: one point in ten may be anywhere', () => {
    const truth = randomState(model, 30)
    const seen = seeDense(model, truth, [0.5, 0.5], 30)
    const clean = fitDenseLandmarks(seen, model, independent)
    for (let i = 0; i < seen.depths.length; i += 10) seen.positions.set(i, 0, seen.positions.get(i, 0) + 40)
    const dirty = fitDenseLandmarks(seen, model, independent)
    const away = dirty.identity.reduce(
      (most, value, k) => Math.max(most, Math.abs(value - clean.identity[k])),
      0,
    )
    expect(away).toBeLessThan(0.5)
    expect(dirty.rotation[1]).toBeCloseTo(clean.rotation[1], 1)
  })

  it('value: from the fit of another picture the same optimum is found, and where it begins counts', () => {
    const [truth, other] = [randomState(model, 32), randomState(model, 33)]
    const seen = seeDense(model, truth, [0.5, 0.5], 32)
    const start = fitDenseLandmarks(seeDense(model, other, [0.5, 0.5], 33), model, independent)
    const [found, near] = [{}, { start }].map((more) =>
      fitDenseLandmarks(seen, model, { ...independent, ...more }),
    )
    coefficientsOf(near).forEach((value, k) =>
      expect(Math.abs(value - coefficientsOf(found)[k])).toBeLessThan(0.05),
    )
    const still = fitDenseLandmarks(seen, model, { ...independent, start, iterations: 0 })
    expect(still.rotation).toEqual(start.rotation)
    expect(still.expression).toEqual(start.expression)
  })

  it('value: where points say little the prior decides', () => {
    const truth = randomState(model, 31)
    const seen = seeDense(model, truth, [3, 30], 31)
    const mean = Float32Array.from(truth.subarray(8, 8 + model.layout.identity))
    const identity = { mean, deviations: new Float32Array(mean.length).fill(0.01) }
    const fit = fitDenseLandmarks(seen, model, { identity })
    fit.identity.forEach((value, k) => expect(value).toBeCloseTo(mean[k], 1))
  })

  it('value: the focal length is found where it is asked for', () => {
    const truth = randomState(model, 32)
    truth[7] = -0.5
    const seen = seeDense(model, truth, [0.02, 0.02], 32)
    const fit = fitDenseLandmarks(seen, model, { ...independent, focalDeviation: 0.5 })
    expect(Math.log(fit.focal)).toBeCloseTo(-0.5, 1)
    expect(fitDenseLandmarks(seen, model, independent).focal).toBe(1)
  })

  it('value: 68 % of the vertices lie within their deviation, whether errors are large or small', async () => {
    for (const noise of [
      [0.5, 2],
      [2, 5],
    ] as const) {
      let [within, count] = [0, 0]
      for (let seed = 100; seed < 125; seed++) {
        const truth = randomState(model, seed)
        const fit = fitDenseLandmarks(seeDense(model, truth, noise, seed), model, independent)
        const radius = await shapeUncertainty(model, coefficientsOf(fit), fit.posterior.covariance)
        const target = shapeOf(model, truth.subarray(8))
        const found = shapeOf(model, coefficientsOf(fit))
        const moved = applySimilarity3d(fitSimilarity3d(found, target), found)
        radius.forEach((r, i) => {
          const error = Math.hypot(...[0, 1, 2].map((axis) => moved[3 * i + axis] - target[3 * i + axis]))
          if (error <= r) within++
          count++
        })
      }
      expect(within / count).toBeGreaterThan(0.6)
      expect(within / count).toBeLessThan(0.76)
    }
  })

  it('value: lids that both networks see nearly shut are closed, lids that one of them sees open are not', async () => {
    const face = await loadBaseModel()
    const blink = ['Left', 'Right'].map((side) => face.shape.expressionNames!.indexOf(`eyeBlink${side}`))
    const { identity, expression } = face.layout
    const stateOf = (amount: number) => {
      const state = new Float64Array(8 + identity + expression)
      for (const k of blink) state[8 + identity + k] = amount
      return state
    }
    const opening = (points: ArrayLike<number>) => {
      const distance = (a: number, b: number) =>
        Math.hypot(points[2 * a] - points[2 * b], points[2 * a + 1] - points[2 * b + 1])
      return (distance(37, 41) + distance(38, 40)) / 2 / distance(36, 39)
    }
    const see = (amount: number) => seeDense(face, stateOf(amount), [0.5, 1], 3)
    const [narrow, wide, shut] = [see(0.5), see(0), see(0.9)]
    expect(opening(narrow.positions.data)).toBeGreaterThan(0.11)
    const closed = fitDenseLandmarks(narrow, face, { landmarks: shut.landmarks })
    expect(opening(closed.landmarks)).toBeLessThan(0.06)
    expect(opening(fitDenseLandmarks(narrow, face).landmarks)).toBeGreaterThan(0.11)
    // Make-up that looks like a lid.
    const open = fitDenseLandmarks(wide, face, { landmarks: shut.landmarks })
    expect(Math.abs(opening(open.landmarks) - opening(wide.positions.data))).toBeLessThan(0.04)
    const flat = { ...shut.landmarks, shape: [136] } as unknown as typeof shut.landmarks
    expect(() => fitDenseLandmarks(wide, face, { landmarks: flat })).toThrow(
      'fitDenseLandmarks: landmarks is [136]',
    )
  }, 30_000)

  it('throws: on a model without dense landmarks, other counts, and deviations that are none', () => {
    const seen = seeDense(model, randomState(model, 1), [1, 1], 1)
    expect(() => fitDenseLandmarks(seen, createTinyFace())).toThrow(
      'fitDenseLandmarks: model tiny-face has no dense landmarks',
    )
    expect(() => fitDenseLandmarks({ ...seen, depths: new Float32Array(3) }, model)).toThrow(
      'fitDenseLandmarks: depths is [3]',
    )
    const zero = { ...seen, deviations: new Float32Array(seen.deviations.length) }
    expect(() => fitDenseLandmarks(zero, model)).toThrow('point 0 has a deviation that is not positive')
    const identity = { mean: new Float32Array(2), deviations: new Float32Array(2) }
    expect(() => fitDenseLandmarks(seen, model, { identity })).toThrow('identity.mean is [2], expected [12]')
  })
})

describe('calibrateCovariance', () => {
  const layout = { identity: 2, expression: 1 }

  it('value: what a picture says of identity counts a 64th part; expression follows identity', () => {
    // Information 64 and 0 about identity: half of the prior's variance is left, and all of it.
    const [known, unknown] = [1 / 65, 1]
    const slope = 0.3
    const covariance = Float64Array.from(
      [
        [known, 0, slope * known],
        [0, unknown, 0],
        [slope * known, 0, 0.01 + slope ** 2 * known],
      ].flat(),
    )
    const expected = [0.5, 0, slope / 2, 0, 1, 0, slope / 2, 0, 0.01 + slope ** 2 / 2]
    calibrateCovariance(covariance, layout).forEach((value, i) => expect(value).toBeCloseTo(expected[i], 12))
  })

  it('throws: on other counts', () => {
    expect(() => calibrateCovariance(new Float64Array(4), layout)).toThrow(
      'calibrateCovariance: covariance is [4], expected [9]',
    )
  })
})

describe('shapeUncertainty', () => {
  beforeAll(() => useBackend('wasm'))

  it('value: the radius holds 68 % of samples of the covariance; motions of the whole head do not count', async () => {
    const fit = fitDenseLandmarks(seeDense(model, randomState(model, 5), [2, 6], 5), model)
    const coefficients = coefficientsOf(fit)
    const radius = await shapeUncertainty(model, coefficients, fit.posterior.covariance)
    const count = coefficients.length
    // A square root of the covariance by its eigenvectors would do as well; rows of this one are what Cholesky gives.
    const root = Array.from({ length: count }, () => new Float64Array(count))
    const covariance = fit.posterior.covariance
    for (let i = 0; i < count; i++)
      for (let j = 0; j <= i; j++) {
        let sum = covariance[i * count + j]
        for (let k = 0; k < j; k++) sum -= root[i][k] * root[j][k]
        root[i][j] = i === j ? Math.sqrt(sum) : sum / root[j][j]
      }
    const { createRandom } = await import('@facekit/core')
    const random = createRandom(3)
    const target = shapeOf(model, coefficients)
    let within = 0
    const draws = 200
    for (let draw = 0; draw < draws; draw++) {
      const unit = Array.from({ length: count }, () => random.normal())
      const moved = shapeOf(
        model,
        coefficients.map((value, i) => value + unit.reduce((sum, u, k) => sum + u * root[i][k], 0)),
      )
      const laid = applySimilarity3d(fitSimilarity3d(moved, target), moved)
      radius.forEach((r, i) => {
        if (Math.hypot(...[0, 1, 2].map((axis) => laid[3 * i + axis] - target[3 * i + axis])) <= r) within++
      })
    }
    expect(within / draws / model.vertexCount).toBeGreaterThan(0.65)
    expect(within / draws / model.vertexCount).toBeLessThan(0.715)
  })

  it('memory: leaves nothing behind; throws: on other counts', async () => {
    const { identity, expression } = model.layout
    const count = identity + expression
    const covariance = new Float64Array(count * count)
    for (let i = 0; i < count; i++) covariance[i * count + i] = 1
    await shapeUncertainty(model, new Float32Array(count), covariance)
    const before = tf.memory().numTensors
    await shapeUncertainty(model, new Float32Array(count), covariance)
    expect(tf.memory().numTensors).toBe(before)
    await expect(shapeUncertainty(model, new Float32Array(2), covariance)).rejects.toThrow(
      `shapeUncertainty: coefficients is [2], expected [${count}]`,
    )
  })
})
