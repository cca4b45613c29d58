import { loadBaseModel, WholeHead } from '@facekit/base-model'
import { createRandom } from '@facekit/core'
import { createMorphableModel } from '@facekit/morphable'
import { describe, expect, it } from 'vitest'

describe('createMorphableModel without landmarks', () => {
  it('value: finds those of a whole head with its neck, teeth, tongue and eyes, in metres and with the axes of another program', async () => {
    const model = await loadBaseModel()
    const { triangles, innerMouthTriangles, landmarks, shape, albedo, uv } = model
    const random = createRandom(4)
    const vertices = Float32Array.from(shape.mean.data)
    for (let k = 0; k < 20; k++) {
      const amount = random.normal()
      for (let i = 0; i < vertices.length; i++)
        vertices[i] += amount * shape.identity.data[k * vertices.length + i]
    }
    const diffuse = Float32Array.from(albedo.diffuseMean.data)
    const specular = Float32Array.from(albedo.specularMean.data)
    const face = { vertices, triangles, innerMouthTriangles, uv: uv!, diffuse, specular }
    const head = (await WholeHead.of(model, face)).mesh(face)
    const positions = Float32Array.from(head.vertices as Float32Array)
    // With the beginning of shoulders: wider than a head, and narrower where the face is.
    const chin = positions[3 * landmarks[8] + 1]
    for (let i = 0; i < positions.length; i += 3)
      positions[i] *= 1 + Math.min(1.2, Math.max(0, chin - 10 - positions[i + 1]) / 12)
    const errors = (found: Int32Array) =>
      Array.from(found, (vertex, i) =>
        Math.hypot(...[0, 1, 2].map((c) => positions[3 * vertex + c] - positions[3 * landmarks[i] + c])),
      )
    for (const axes of [
      [0, 1, 2],
      [1, 2, 0],
    ]) {
      const mean = positions.map((_, i) => positions[i - (i % 3) + axes[i % 3]] / 1000)
      const made = createMorphableModel(
        { name: 'head', mean, triangles: head.triangles },
        { template: model },
      )
      const off = errors(made.landmarks)
      expect(off.slice(17).reduce((sum, each) => sum + each, 0) / 51).toBeLessThan(3)
      expect(Math.max(...off.slice(17))).toBeLessThan(10)
    }
  }, 60_000)
})
