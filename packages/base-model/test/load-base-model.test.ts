import { readFileSync, statSync } from 'node:fs'
import { loadBaseModel } from '@facekit/base-model'
import { validateModel, type MorphableModel } from '@facekit/morphable'
import { beforeAll, describe, expect, it } from 'vitest'
import { at } from './model-helpers.js'

const file = new URL('../data/base-model-scans.safetensors', import.meta.url)
const learnedFile = new URL('../data/base-model-learned.safetensors', import.meta.url)
const syntheticFile = new URL('../data/base-model.safetensors', import.meta.url)

describe('loadBaseModel', () => {
  let model: MorphableModel
  let mean: Float32Array
  beforeAll(async () => {
    model = await loadBaseModel()
    mean = model.shape.mean.data as Float32Array
  })

  it('smoke: the model is whole and the second call returns the same', async () => {
    validateModel(model)
    expect(await loadBaseModel()).toBe(model)
    expect(await loadBaseModel({ variant: 'scans' })).toBe(model)
    expect(model.name).toBe('facekit-scans')
    expect(model.license).toBe('Apache-2.0 AND MIT')
    expect(model.origin).toContain('ICT-FaceKit')
    expect(model.origin).toContain('MediaPipe')
    expect(model.origin).toContain('No photograph')
  })

  it('smoke: the other variants have the same triangles, regions, expressions and dense landmarks', async () => {
    const learned = await loadBaseModel({ variant: 'learned' })
    const synthetic = await loadBaseModel({ variant: 'synthetic' })
    expect(await loadBaseModel({ variant: 'synthetic' })).toBe(synthetic)
    expect(learned.origin).toContain('YouTube Faces')
    expect(synthetic.origin).toContain('No person')
    for (const other of [learned, synthetic]) {
      for (const key of [
        'vertexCount',
        'triangles',
        'innerMouthTriangles',
        'regions',
        'denseMirror',
      ] as const) {
        expect(other[key]).toEqual(model[key])
      }
      expect(other.layout).toEqual({ identity: 80, expression: 52, albedo: 56 })
      expect(other.license).toBe('Apache-2.0')
      expect(other.denseLandmarks!.slice(68)).toEqual(model.denseLandmarks!.slice(68))
      expect(other.shape.expressionNames).toEqual(model.shape.expressionNames)
      expect(other.shape.expressionRange).toEqual(model.shape.expressionRange)
      expect(other.uv!.data).toEqual(model.uv!.data)
      expect(other.shape.mean.data).not.toEqual(mean)
    }
    expect(learned.shape.mean.data).toEqual(synthetic.shape.mean.data)
    expect(learned.shape.identity.data).not.toEqual(synthetic.shape.identity.data)
    // Landmarks moved to where labels of photographs are; those of the lids did not.
    expect(learned.landmarks).toEqual(model.landmarks)
    const canonical = synthetic.shape.mean.data as Float32Array
    const distances = Array.from(learned.landmarks, (i, l) => {
      const [a, b] = [at(canonical, i), at(canonical, synthetic.landmarks[l])]
      return Math.hypot(...a.map((value, c) => value - b[c]))
    })
    expect(distances.slice(36, 48)).toEqual(Array.from({ length: 12 }, () => 0))
    expect(Math.max(...distances)).toBeLessThan(13)
    expect(distances.reduce((sum, d) => sum + d, 0) / 68).toBeGreaterThan(1)
  })

  it('throws: an unknown variant', async () => {
    const variant = 'scanned' as 'learned'
    await expect(loadBaseModel({ variant })).rejects.toThrow(
      /variant is "scanned", expected "scans", "learned" or "synthetic"/,
    )
  })

  it('smoke: source may be bytes, an address or a path', async () => {
    const bytes = await loadBaseModel({ source: readFileSync(file) })
    const address = await loadBaseModel({ source: file })
    expect(bytes.shape.mean.data).toEqual(mean)
    expect(address.vertexCount).toBe(model.vertexCount)
  })

  it('shape: counts', () => {
    expect(model.vertexCount).toBe(7849)
    expect(model.triangles.length / 3).toBe(15_088)
    expect(model.innerMouthTriangles.length / 3).toBe(18 * 16)
    expect(model.layout).toEqual({ identity: 80, expression: 52, albedo: 52 })
    expect(model.shape.expressionNames).toHaveLength(52)
    expect(new Set(model.shape.expressionNames).size).toBe(52)
    expect(model.landmarks).toHaveLength(68)
    expect(model.jawContours).toHaveLength(17)
  })

  it('value: the files are under 4, 3 and 2 MB', () => {
    expect(statSync(file).size).toBeLessThan(4e6)
    expect(statSync(learnedFile).size).toBeLessThan(3e6)
    expect(statSync(syntheticFile).size).toBeLessThan(2e6)
  })

  it('throws: missing, truncated, foreign and damaged files', async () => {
    const bytes = new Uint8Array(readFileSync(file))
    const nowhere = new URL('../data/nowhere.safetensors', import.meta.url)
    await expect(loadBaseModel({ source: nowhere })).rejects.toThrow(/loadBaseModel: cannot read .*source/)
    await expect(loadBaseModel({ source: bytes.subarray(0, 100_000) })).rejects.toThrow(/truncated/)
    await expect(loadBaseModel({ source: new Uint8Array(3) })).rejects.toThrow(/loadBaseModel/)
    const headerLength = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
    const header = new TextDecoder().decode(bytes.subarray(8, 8 + headerLength))
    const changed = (from: string, to: string) => {
      expect(header).toContain(from)
      const copy = bytes.slice()
      copy.set(new TextEncoder().encode(header.replace(from, to)), 8)
      return copy
    }
    await expect(loadBaseModel({ source: changed('"version":"1"', '"version":"9"') })).rejects.toThrow(
      /version 1.*9/,
    )
    await expect(loadBaseModel({ source: changed('"landmarks"', '"landmarqs"') })).rejects.toThrow(
      /"landmarks"/,
    )
  })
})
