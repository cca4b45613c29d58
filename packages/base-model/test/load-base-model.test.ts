import { readFileSync, statSync } from 'node:fs'
import { loadBaseModel } from '@facekit/base-model'
import { validateModel, type MorphableModel } from '@facekit/morphable'
import { beforeAll, describe, expect, it } from 'vitest'
import { at } from './model-helpers.js'

const file = new URL('../data/base-model-learned.safetensors', import.meta.url)
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
    expect(model.license).toBe('Apache-2.0')
    expect(model.origin).toContain('MediaPipe')
  })

  it('smoke: the variant without photographs has the same mesh, regions, expressions and numbers of modes', async () => {
    const synthetic = await loadBaseModel({ variant: 'synthetic' })
    expect(await loadBaseModel({ variant: 'synthetic' })).toBe(synthetic)
    expect(await loadBaseModel({ variant: 'learned' })).toBe(model)
    expect(model.origin).toContain('YouTube Faces')
    expect(synthetic.origin).toContain('No person')
    for (const key of ['vertexCount', 'triangles', 'innerMouthTriangles', 'regions', 'layout'] as const) {
      expect(model[key]).toEqual(synthetic[key])
    }
    expect(model.shape.expressionNames).toEqual(synthetic.shape.expressionNames)
    expect(model.shape.expressionRange).toEqual(synthetic.shape.expressionRange)
    expect(model.uv!.data).toEqual(synthetic.uv!.data)
    expect(model.shape.mean.data).toEqual(mean)
    expect(model.shape.identity.data).not.toEqual(synthetic.shape.identity.data)
    // Landmarks moved to where labels of photographs are; those of the lids did not.
    const distances = Array.from(model.landmarks, (i, l) => {
      const [a, b] = [at(mean, i), at(mean, synthetic.landmarks[l])]
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
    expect(model.layout).toEqual({ identity: 80, expression: 52, albedo: 56 })
    expect(model.shape.expressionNames).toHaveLength(52)
    expect(new Set(model.shape.expressionNames).size).toBe(52)
    expect(model.landmarks).toHaveLength(68)
    expect(model.jawContours).toHaveLength(17)
  })

  it('value: the file is under 3 MB, that without photographs under 2', () => {
    expect(statSync(file).size).toBeLessThan(3e6)
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
