import { loadBaseModel } from '@facekit/base-model'
import { innerMouthUv } from '@facekit/morphable'
import { createTinyFace } from '@facekit/testing'
import { describe, expect, it } from 'vitest'

describe('innerMouthUv', () => {
  it('value: the sheet of the base model fills the map, no triangle is turned over', async () => {
    const model = await loadBaseModel()
    const uv = innerMouthUv(model)!
    const { innerMouthTriangles } = model
    let [covered, turned] = [0, 0]
    for (let t = 0; t < innerMouthTriangles.length; t += 3) {
      const [a, b, c] = [0, 1, 2].map((k) => innerMouthTriangles[t + k])
      const side = (i: number, j: number, axis: number) => uv[2 * j + axis] - uv[2 * i + axis]
      const area = (side(a, b, 0) * side(a, c, 1) - side(a, b, 1) * side(a, c, 0)) / 2
      covered += area
      if (area < -1e-4) turned++
    }
    expect(turned).toBe(0)
    expect(covered).toBeGreaterThan(0.5)
    expect(covered).toBeLessThanOrEqual(1)
    // The upper lip above the lower one.
    expect(uv[2 * model.landmarks[62] + 1]).toBeGreaterThan(0.9)
    expect(uv[2 * model.landmarks[66] + 1]).toBeLessThan(0.1)
    // Of the sheet only.
    expect(uv[2 * model.landmarks[30]]).toBe(0)
  })

  it('edge: none for a model whose expressions have other names', () => {
    const tiny = createTinyFace()
    const { expressionNames: _, ...shape } = tiny.shape
    expect(innerMouthUv({ ...tiny, shape })).toBeUndefined()
  })
})
