import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ShapeError, ValueError } from '@facekit/core'
import { initEngine } from '@facekit/engine'
import { disposeModel } from '@facekit/morphable'
import { neutralParameters } from '@facekit/parameters'
import { defaultCamera } from '@facekit/render'
import { hasWebgpu, useBackend } from '@facekit/testing'
import {
  drawFacePanel,
  evaluateRegressor,
  paperRecipe,
  plausibilityTerms,
  readTrainingLog,
  renderedBatches,
  replayedBatches,
  supervisedTerms,
  train,
  type BatchSource,
  type PhotoBatch,
  type RenderedBatch,
} from '@facekit/trainer'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SIZE, tinyModel, tinyPhotographs, tinyRegressor, tinyRenderings } from './face-fixtures.js'
import { scratchFolder } from './training-fixtures.js'

const gpu = (await hasWebgpu()) && (await initEngine({ backend: 'webgpu' })).adapter?.software === false
const model = tinyModel()
afterAll(() => useBackend('cpu'))

/** Those with a weight. */
const supervisedNames = supervisedTerms()
  .filter(({ weight }) => weight !== 0)
  .map(({ name }) => name)

function photographs(): BatchSource<PhotoBatch> {
  let seed = 10
  return {
    next: async () => tinyPhotographs(model, 3, seed++),
    state: () => seed,
    restore: (state) => void (seed = state as number),
  }
}

describe('train on wasm', () => {
  beforeAll(() => useBackend('wasm'))
  afterAll(() => disposeModel(model))

  it('smoke: rendered faces and photographs together', async () => {
    const regressor = tinyRegressor(model)
    const heldOut = tinyPhotographs(model, 4, 5)
    const folder = scratchFolder()
    const before = await evaluateRegressor(regressor, model, [heldOut])
    const iterations = 60
    const result = await train({
      regressor,
      model,
      dataset: photographs(),
      rendered: renderedBatches(tinyRenderings(model)),
      iterations,
      learningRate: 3e-3,
      clipNorm: 10,
      folder,
      heldOut: { batches: [heldOut], every: iterations, faces: 2 },
    })
    expect(Object.keys(result.terms)).toEqual([
      'photometric',
      'landmark',
      'regularization',
      'uniform',
      ...supervisedNames,
    ])
    expect(Object.values(result.terms).every(Number.isFinite)).toBe(true)
    expect(result.evaluation!.pictures).toBe(4)
    expect(result.evaluation!.landmarkError).toBeLessThan(before.landmarkError * 0.8)
    const log = await readTrainingLog(join(folder, 'log.jsonl'))
    expect(log.at(-2)).toMatchObject({ panel: 'panels/panel-000000060.png' })
    expect(existsSync(join(folder, 'panels/panel-000000060.png'))).toBe(true)
    regressor.dispose()
    tf.dispose(heldOut)
  })

  it('memory: no tensor is left', async () => {
    const run = async () => {
      const regressor = tinyRegressor(model)
      const heldOut = tinyPhotographs(model, 2, 5)
      await train({
        regressor,
        model,
        dataset: photographs(),
        rendered: renderedBatches(tinyRenderings(model)),
        iterations: 4,
        folder: scratchFolder(),
        heldOut: { batches: [heldOut], every: 4 },
      })
      regressor.dispose()
      tf.dispose(heldOut)
    }
    await run()
    const before = tf.memory().numTensors
    await run()
    expect(tf.memory().numTensors).toBe(before)
  })
})

// A software adapter compiles its kernels for minutes; the loop itself is tested on one in run-training.test.ts.
describe.skipIf(!gpu)('train on a GPU by webgpu', () => {
  beforeAll(() => useBackend('webgpu'))
  afterAll(() => disposeModel(model))

  it('smoke: a recorded step of both parts', async () => {
    const regressor = tinyRegressor(model)
    const result = await train({
      regressor,
      model,
      dataset: photographs(),
      rendered: renderedBatches(tinyRenderings(model, 2)),
      iterations: 5,
    })
    expect(Object.values(result.terms)).toHaveLength(11)
    expect(Object.values(result.terms).every(Number.isFinite)).toBe(true)
    regressor.dispose()
  })
})

describe('train', () => {
  beforeAll(() => useBackend('wasm'))
  afterAll(() => disposeModel(model))

  it('value: parts come and go with their weights, and resume to the bit', async () => {
    const folder = scratchFolder()
    const run = async (iterations: number, options: { folder?: string; resume?: boolean }) => {
      const regressor = tinyRegressor(model)
      const losses = new Map<number, number>()
      const names = new Map<number, string[]>()
      await train({
        regressor,
        model,
        dataset: photographs(),
        rendered: renderedBatches(tinyRenderings(model)),
        datasetWeight: (iteration) => (iteration < 3 ? 0 : 1),
        renderedWeight: (iteration) => (iteration < 6 ? 1 : 0),
        iterations,
        ...options,
        onProgress: ({ iteration, loss, terms }) => {
          losses.set(iteration, loss)
          names.set(iteration, Object.keys(terms))
        },
      })
      regressor.dispose()
      return { losses, names }
    }
    const whole = await run(8, {})
    expect(whole.names.get(3)).toEqual(supervisedNames)
    expect(whole.names.get(4)).toHaveLength(11)
    expect(whole.names.get(7)).toEqual(['photometric', 'landmark', 'regularization', 'uniform'])
    const first = await run(5, { folder })
    const second = await run(8, { folder, resume: true })
    expect(new Map([...first.losses, ...second.losses])).toEqual(whole.losses)
  })

  it('value: the recipe of the paper', () => {
    const recipe = paperRecipe()
    expect(recipe).toMatchObject({ batch: 32, optimizer: 'adam', learningRate: 5e-5, iterations: 200_000 })
    const weights = (iteration: number) =>
      Object.fromEntries(
        recipe.losses.map(({ name, weight }) => [
          name,
          typeof weight === 'function' ? weight(iteration) : weight,
        ]),
      )
    const start = {
      identity: 0.2,
      photometric: 1.92,
      landmark: 1.8e-3,
      innerMouth: 0,
      regularization: 5e-4,
      uniform: 5,
    }
    expect(weights(49_999)).toEqual(start)
    expect(weights(50_000)).toEqual({ ...start, innerMouth: 1.3e-3 })
  })

  it('value: supervision is nothing for the truth', async () => {
    const { image, parameters, landmarks, landmarkVisibility } = tinyRenderings(model).next()
    const vertices = tf.zeros([4, 5, 3]) as tf.Tensor3D
    for (const { compute } of supervisedTerms()) {
      const loss = compute({
        found: parameters,
        truth: parameters,
        foundVertices: vertices,
        trueVertices: vertices,
        foundLandmarks: landmarks,
        trueLandmarks: landmarks,
        landmarkVisibility,
        model,
        camera: defaultCamera,
      })
      expect((await loss.data())[0]).toBeCloseTo(0, 6)
    }
    image.dispose()
  })

  it('value: replayed batches are used several times, and the same ones after a resumption', async () => {
    const replayed = () => replayedBatches(renderedBatches(tinyRenderings(model, 1)), { times: 3, kept: 2 })
    const take = async (source: BatchSource<RenderedBatch>, count: number) => {
      const seen: string[] = []
      for (let i = 0; i < count; i++) {
        const batch = await source.next()
        seen.push(batch[3].dataSync().join())
        tf.dispose(batch)
      }
      return seen
    }
    const before = tf.memory().numTensors
    const whole = replayed()
    const all = await take(whole, 15)
    expect(new Set(all).size).toBe(5)
    const first = replayed()
    await take(first, 8)
    const resumed = replayed()
    resumed.restore(JSON.parse(JSON.stringify(first.state())))
    expect(await take(resumed, 7)).toEqual(all.slice(8))
    for (const source of [whole, first, resumed]) source.dispose!()
    expect(tf.memory().numTensors).toBe(before)
  })

  it('value: plausible parameters cost nothing, others do', async () => {
    const blendshapes = { ...model, shape: { ...model.shape, expressionRange: [0, 1] as [number, number] } }
    const [range, light] = plausibilityTerms(blendshapes, { expressionRange: 1, pointLight: 1 })
    const parameters = neutralParameters(model.layout, 2)
    const value = (term: typeof range, changed: object) =>
      term.compute({ parameters: { ...parameters, ...changed } } as never).dataSync()[0]
    expect(value(range, {})).toBe(0)
    expect(value(light, {})).toBe(0)
    // 0.5 below and 1 above: 0.25 + 1 for one of two faces.
    expect(value(range, { expression: tf.tensor2d([[-0.5, 2], [0, 1]]) })).toBeCloseTo(0.625, 6) // prettier-ignore
    const lightPosition = tf.add(parameters.illumination.lightPosition, [[500, 0, 0]])
    expect(value(light, { illumination: { ...parameters.illumination, lightPosition } })).toBeCloseTo(1, 6)
    const { expressionRange: _, ...shape } = model.shape
    expect(() => plausibilityTerms({ ...model, shape }, { expressionRange: 1 })).toThrow(/have no range/)
    expect(() => plausibilityTerms(model, { nose: 1 } as never)).toThrow(/expected only expressionRange/)
  })

  it('shape: a panel has a row for each picture', async () => {
    const regressor = tinyRegressor(model)
    const batch = tinyPhotographs(model, 2, 5)
    const picture = await drawFacePanel(regressor, model, batch[0])
    expect(picture.shape[1]).toBe(4 + 5 * (SIZE + 4))
    expect(picture.shape[0]).toBeGreaterThan(2 * SIZE)
    regressor.dispose()
    tf.dispose(batch)
  })

  it('throws: no sources, another model, unknown weights', async () => {
    const regressor = tinyRegressor(model)
    await expect(train({ regressor, model })).rejects.toThrow(ValueError)
    const other = { ...model, layout: { ...model.layout, identity: 80 } }
    const rendered = renderedBatches(tinyRenderings(model))
    await expect(train({ regressor, model: other, rendered })).rejects.toThrow(ShapeError)
    expect(() => supervisedTerms({ nose: 1 } as never)).toThrow(/expected only identity/)
    regressor.dispose()
  })
})
