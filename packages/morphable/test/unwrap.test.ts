import { loadBaseModel } from '@facekit/base-model'
import { bakeTexture, encodeSrgb } from '@facekit/export'
import { createMorphableModel, type MorphableModel } from '@facekit/morphable'
import { describe, expect, it } from 'vitest'
import { head } from './head.js'

/** Mean distance of a baked texture from the colours of the vertices, in sRGB bytes. */
function textureError({
  albedo,
  uv,
  triangles,
}: Pick<MorphableModel, 'albedo' | 'uv' | 'triangles'>): number {
  const size = 512
  const colors = albedo.diffuseMean.data
  const texture = bakeTexture(colors, uv!, triangles, { size })
  const vertices = [...new Set(triangles)]
  let sum = 0
  for (const v of vertices) {
    const [x, y] = [uv!.get(v, 0) * size - 0.5, (1 - uv!.get(v, 1)) * size - 0.5]
    const [left, top] = [Math.floor(x), Math.floor(y)]
    for (let c = 0; c < 3; c++) {
      const row = (at: number) =>
        texture.get(at, left, c) * (1 - x + left) + texture.get(at, left + 1, c) * (x - left)
      const value = row(top) * (1 - y + top) + row(top + 1) * (y - top)
      sum += Math.abs(255 * (encodeSrgb(value) - encodeSrgb(colors[v * 3 + c])))
    }
  }
  return sum / vertices.length / 3
}

describe('texture coordinates of meshes that have none', () => {
  it('value: a whole head with eyeballs has a place in the texture for all of its skin', () => {
    const { positions, triangles, landmarks } = head()
    const diffuseMean = positions.map((value, i) => 0.3 + 0.2 * Math.sin(value / 9 + (i % 3)))
    const read = createMorphableModel({ name: 'head', mean: positions, triangles, landmarks, diffuseMean })
    expect(textureError(read)).toBeLessThan(1.3)
    const { data } = read.uv!
    expect(Math.min(...data)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...data)).toBeLessThanOrEqual(1)
  })

  it('value: the base model without its own coordinates', async () => {
    const { shape, triangles, landmarks, albedo } = await loadBaseModel()
    const { diffuseMean } = albedo
    const read = createMorphableModel({ name: 'face', mean: shape.mean, triangles, landmarks, diffuseMean })
    expect(textureError(read)).toBeLessThan(0.6)
    // Nothing is folded: the texture is as good as that of an artist.
    const uv = read.uv!.data
    let folds = 0
    for (let t = 0; t < triangles.length; t += 3) {
      const [a, b, c] = [read.triangles[t] * 2, read.triangles[t + 1] * 2, read.triangles[t + 2] * 2]
      if ((uv[b] - uv[a]) * (uv[c + 1] - uv[a + 1]) <= (uv[c] - uv[a]) * (uv[b + 1] - uv[a + 1])) folds++
    }
    expect(folds).toBe(0)
  })
})
