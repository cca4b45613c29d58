import * as tf from '@tensorflow/tfjs-core'
import {
  cropModel,
  disposeModel,
  evaluateAlbedo,
  evaluateShape,
  sampleCoefficients,
  validateModel,
} from '@facekit/morphable'
import { createTinyFace, expectNoLeak, useBackend } from '@facekit/testing'
import { beforeAll, describe, expect, it } from 'vitest'

const model = createTinyFace({ rows: 13, columns: 11 })
const columns = 11

describe('cropModel', () => {
  beforeAll(() => useBackend('cpu'))

  /** Without the top row, which holds no landmark. */
  const mask = Uint8Array.from({ length: model.vertexCount }, (_, v) => (v >= columns ? 1 : 0))

  it('value: keeps vertices, and renumbers all that names them', async () => {
    const cropped = cropModel(model, mask)
    validateModel(cropped)
    expect(cropped.vertexCount).toBe(model.vertexCount - columns)
    expect(cropped.triangles.length).toBe(model.triangles.length - (columns - 1) * 2 * 3)
    expect(cropped.innerMouthTriangles.length).toBe(model.innerMouthTriangles.length)
    expect([...cropped.landmarks]).toEqual([...model.landmarks].map((vertex) => vertex - columns))
    expect([...cropped.jawContours![0]]).toEqual([...model.jawContours![0]].map((vertex) => vertex - columns))
    const coefficients = sampleCoefficients(model.layout, { seed: 3 })
    const whole = await evaluateShape(model, coefficients).data()
    expect(await evaluateShape(cropped, coefficients).data()).toEqual(whole.slice(columns * 3))
    const albedo = await evaluateAlbedo(model, coefficients.albedo).specular.data()
    const croppedAlbedo = evaluateAlbedo(cropped, coefficients.albedo).specular
    expect(await croppedAlbedo.data()).toEqual(albedo.slice(columns * 3))
    disposeModel(cropped)
  })

  it('value: a list of vertices gives their new order; keeping all in reverse twice gives the model back', () => {
    const reversed = Int32Array.from({ length: model.vertexCount }, (_, v) => model.vertexCount - 1 - v)
    const once = cropModel(model, reversed)
    expect(once.landmarks[0]).toBe(model.vertexCount - 1 - model.landmarks[0])
    expect(cropModel(once, reversed)).toEqual(model)
  })

  it('value: a jaw row without vertices becomes its landmark', () => {
    const empty = { ...model, jawContours: model.jawContours!.map(() => Int32Array.of(3)) }
    const cropped = cropModel(empty, mask)
    expect([...cropped.jawContours![5]]).toEqual([cropped.landmarks[5]])
  })

  it('value: dense landmarks are renumbered, or left out when one is lost', () => {
    const denseMirror = Int32Array.from({ length: 69 }, (_, l) => l)
    const dense = (extra: number) => ({
      ...model,
      denseLandmarks: Int32Array.of(...model.landmarks, extra),
      denseMirror,
    })
    const kept = cropModel(dense(columns), mask)
    validateModel(kept)
    expect([...kept.denseLandmarks!]).toEqual([...kept.landmarks, 0])
    expect(kept.denseMirror).toEqual(denseMirror)
    const lost = cropModel(dense(0), mask)
    expect(lost).not.toHaveProperty('denseLandmarks')
    expect(lost).not.toHaveProperty('denseMirror')
  })

  it('throws: on a lost landmark, a wrong mask, wrong vertices', () => {
    const without = Uint8Array.from({ length: model.vertexCount }, (_, v) =>
      Number(v !== model.landmarks[30]),
    )
    expect(() => cropModel(model, without)).toThrow(/^cropModel: landmark \d+ \(vertex \d+\) would be lost/)
    expect(() => cropModel(model, [true])).toThrow('the mask has length 1')
    expect(() => cropModel(model, Int32Array.of(0, 0))).toThrow('vertex 0 is named twice')
    expect(() => cropModel(model, Int32Array.of(-1))).toThrow('vertex -1 is not there')
  })
})

describe('sampleCoefficients', () => {
  beforeAll(() => useBackend('cpu'))

  it('shape: one row for each face, the width of the layout', () => {
    const { identity, expression, albedo } = sampleCoefficients(model.layout, { batch: 3 })
    expect([identity.shape, expression.shape, albedo.shape]).toEqual([
      [3, 6],
      [3, 4],
      [3, 5],
    ])
  })

  it('value: standard normal, the same for the same seed, other for another', async () => {
    const layout = { identity: 4000, expression: 4000, albedo: 10 }
    const draw = (seed: number) => sampleCoefficients(layout, { seed }).identity.data<'float32'>()
    const numbers = await draw(5)
    expect(await draw(5)).toEqual(numbers)
    expect(await draw(6)).not.toEqual(numbers)
    const mean = numbers.reduce((total, value) => total + value, 0) / numbers.length
    const variance = numbers.reduce((total, value) => total + value ** 2, 0) / numbers.length
    expect(Math.abs(mean)).toBeLessThan(0.05)
    expect(Math.abs(variance - 1)).toBeLessThan(0.08)
  })

  it('value: deviation scales, a range cuts', async () => {
    const whole = await sampleCoefficients(model.layout, { seed: 2 }).albedo.data()
    const half = await sampleCoefficients(model.layout, { seed: 2, deviation: 0.5 }).albedo.data()
    whole.forEach((value, i) => expect(half[i]).toBeCloseTo(value / 2, 6))
    const layout = { identity: 0, expression: 1000, albedo: 0 }
    const { expression } = sampleCoefficients(layout, { expressionRange: [0, 1], deviation: 2 })
    const values = await expression.data()
    expect(Math.min(...values)).toBe(0)
    expect(Math.max(...values)).toBe(1)
    expect(values.filter((value) => value === 0).length).toBeGreaterThan(400)
  })

  it('throws: on options out of range', () => {
    expect(() => sampleCoefficients(model.layout, { batch: 0 })).toThrow('sampleCoefficients: batch is 0')
    expect(() => sampleCoefficients(model.layout, { seed: -1 })).toThrow('seed is -1')
    expect(() => sampleCoefficients(model.layout, { deviation: Number.NaN })).toThrow('deviation is NaN')
    expect(() => sampleCoefficients(model.layout, { expressionRange: [1, 1] })).toThrow('expressionRange')
    expect(() => sampleCoefficients({ identity: 1.5, expression: 0, albedo: 0 })).toThrow('layout.identity')
  })

  it('memory: only the results', () =>
    expectNoLeak(() => {
      tf.dispose(sampleCoefficients(model.layout))
    }))
})
