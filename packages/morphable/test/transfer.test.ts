import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createRandom, ShapeError } from '@facekit/core'
import {
  cropModel,
  readIctFaceKit,
  surfaceCorrespondence,
  transferAlbedo,
  transferCoefficients,
  validateModel,
} from '@facekit/morphable'
import { createTinyFace } from '@facekit/testing'
import { loadBaseModel } from '@facekit/base-model'
import { describe, expect, it } from 'vitest'
import { drawnToTemplate, face } from './face-files.js'

const raw = fileURLToPath(new URL('../../../../shared/data/ict-facekit/raw', import.meta.url))
const fine = face()
const coarse = drawnToTemplate(createTinyFace({ rows: 41, columns: 35 }))

describe('surfaceCorrespondence', () => {
  it('value: a mesh corresponds to itself', () => {
    const { distances, weights } = surfaceCorrespondence(coarse, coarse)
    expect(Math.max(...distances)).toBeLessThan(0.5)
    for (let v = 0; v < coarse.vertexCount; v++) {
      expect(weights[v * 3] + weights[v * 3 + 1] + weights[v * 3 + 2]).toBeCloseTo(1, 5)
    }
  })
})

describe('transferAlbedo', () => {
  it('value: values of the closest point, means and modes', () => {
    const { shape, albedo } = fine
    // Albedo that is a function of the place: it must be the same function on the other mesh.
    const at = (x: number, y: number, c: number) => 0.3 + 0.001 * x * (c === 0 ? 1 : -1) + 0.0008 * y
    const diffuse = albedo.diffuseMean.data.map((_, i) => {
      const v = Math.floor(i / 3)
      return at(shape.mean.data[v * 3], shape.mean.data[v * 3 + 1], i % 3)
    })
    albedo.diffuseMean.data.set(diffuse)
    const model = transferAlbedo(coarse, { from: fine })
    validateModel(model)
    expect(model.layout).toEqual({ ...coarse.layout, albedo: fine.layout.albedo })
    let sum = 0
    for (let v = 0; v < model.vertexCount; v++) {
      const [x, y] = [model.shape.mean.get(v, 0), model.shape.mean.get(v, 1)]
      for (let c = 0; c < 3; c++) sum += Math.abs(model.albedo.diffuseMean.get(v, c) - at(x, y, c))
    }
    expect(sum / model.vertexCount / 3).toBeLessThan(0.004)
    expect(model.origin).toContain('transferred from')
  })

  it('value: what has no counterpart takes the colours around it', () => {
    // Without its upper third, the source says nothing of the forehead.
    const keep = Uint8Array.from({ length: fine.vertexCount }, (_, v) =>
      fine.shape.mean.get(v, 1) < 62 ? 1 : 0,
    )
    const model = transferAlbedo(coarse, { from: cropModel(fine, keep) })
    const top = [...coarse.triangles].reduce((best, v) =>
      coarse.shape.mean.get(v, 1) > coarse.shape.mean.get(best, 1) ? v : best,
    )
    for (let c = 0; c < 3; c++) {
      const value = model.albedo.diffuseMean.get(top, c)
      expect(value).toBeGreaterThan(0.15)
      expect(value).toBeLessThan(0.6)
    }
  })

  it('value: eyeballs are paired with eyeballs', async () => {
    const base = await loadBaseModel()
    const { vertices } = surfaceCorrespondence(base, base)
    const eyes = new Set([...base.regions!.sclera, ...base.regions!.iris])
    for (const vertex of eyes) {
      for (let k = 0; k < 3; k++) expect(eyes.has(vertices[vertex * 3 + k])).toBe(true)
    }
  })

  it.skipIf(!existsSync(raw))('value: eyes are paired with eyes', async () => {
    const ict = await readIctFaceKit(raw, { identityModes: 1 })
    const { vertices } = surfaceCorrespondence(ict, ict)
    const eye = new Set(['scleraLeft', 'irisLeft'].flatMap((name) => [...ict.regions![name]]))
    for (const vertex of eye) {
      for (let k = 0; k < 3; k++) expect(eye.has(vertices[vertex * 3 + k])).toBe(true)
    }
  })
})

describe('transferCoefficients', () => {
  const random = createRandom(3)
  const draw = (count: number) => Float32Array.from({ length: count }, () => random.normal(0, 0.7))
  const coefficients = {
    identity: draw(fine.layout.identity),
    expression: draw(fine.layout.expression),
    albedo: draw(fine.layout.albedo),
  }

  it('value: to itself it gives the coefficients back', () => {
    const found = transferCoefficients(fine, fine, coefficients, { regularization: 1e-4 })
    expect(found.shapeError).toBeLessThan(0.3)
    expect(found.albedoError).toBeLessThan(0.01)
    // Not each number: some modes are nearly motions of the whole face, which the similarity between the two takes.
    for (const name of ['identity', 'expression', 'albedo'] as const) {
      const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, k) => sum + value * b[k], 0)
      const [a, b] = [found[name], coefficients[name]]
      expect(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))).toBeGreaterThan(0.85)
    }
  })

  it('value: to another mesh with the same modes the surface is the same', () => {
    const found = transferCoefficients(fine, coarse, coefficients)
    expect(found.shapeError).toBeLessThan(2)
    expect(found.identity).toHaveLength(coarse.layout.identity)
  })

  it('throws: coefficients of another model', () => {
    const wrong = { ...coefficients, identity: new Float32Array(2) }
    expect(() => transferCoefficients(fine, coarse, wrong)).toThrow(ShapeError)
  })
})
