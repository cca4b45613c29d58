import { loadBaseModel } from '@facekit/base-model'
import { bakeTexture, encodeSrgb } from '@facekit/export'
import { createMorphableModel, type MorphableModel } from '@facekit/morphable'
import { describe, expect, it } from 'vitest'
import { landmarkTemplate } from '../src/landmarks/landmark-template.js'

/** A ball as triangles, without the rows around its lower pole: `rows` circles of `columns` vertices, and the upper pole. */
function ball(rows: number, columns: number, reach: number) {
  const directions: number[] = [0, 1, 0]
  const triangles: number[] = []
  const at = (row: number, column: number) => 1 + row * columns + (column % columns)
  for (let row = 0; row < rows; row++) {
    const polar = ((row + 1) / (rows + 1)) * reach
    for (let column = 0; column < columns; column++) {
      const turn = (2 * Math.PI * column) / columns
      directions.push(Math.sin(polar) * Math.sin(turn), Math.cos(polar), Math.sin(polar) * Math.cos(turn))
      if (row === 0) triangles.push(0, at(0, column), at(0, column + 1))
      else {
        const [a, b, c, d] = [
          at(row - 1, column),
          at(row - 1, column + 1),
          at(row, column),
          at(row, column + 1),
        ]
        triangles.push(a, c, b, b, c, d)
      }
    }
  }
  return { directions, triangles }
}

/** A head with a neck, drawn through the landmarks of an average face, and two eyeballs that are closed all around. */
function head() {
  const middle = [0, 0, -20]
  const skull = ball(60, 90, 2.5)
  const landmarks = Array.from({ length: 68 }, (_, i) => {
    const d = [0, 1, 2].map((c) => landmarkTemplate[i * 3 + c] - middle[c])
    const length = Math.hypot(...d)
    let best = 0
    for (let v = 0; v * 3 < skull.directions.length; v++) {
      const cosine = (k: number) =>
        [0, 1, 2].reduce((sum, c) => sum + d[c] * skull.directions[k * 3 + c], 0) / length
      if (cosine(v) > cosine(best)) best = v
    }
    return { vertex: best, radius: length }
  })
  const positions: number[] = []
  for (let v = 0; v * 3 < skull.directions.length; v++) {
    const direction = skull.directions.slice(v * 3, v * 3 + 3)
    let [sum, total] = [90 * 0.02, 0.02]
    for (const { vertex, radius } of landmarks) {
      const other = skull.directions.slice(vertex * 3, vertex * 3 + 3)
      const cosine = direction.reduce((dot, value, c) => dot + value * other[c], 0)
      const weight = 0.001 / (Math.max(0, 1 - cosine) ** 1.5 + 1e-4)
      sum += weight * radius
      total += weight
    }
    direction.forEach((value, c) => positions.push(middle[c] + (value * sum) / total))
  }
  const triangles = [...skull.triangles]
  for (const [x, y, z] of [
    [-32, 27, 25],
    [32, 27, 25],
  ]) {
    const first = positions.length / 3
    const eye = ball(20, 24, Math.PI)
    for (let v = 0; v * 3 < eye.directions.length; v++)
      [x, y, z].forEach((value, c) => positions.push(value + 12 * eye.directions[v * 3 + c]))
    const lower = positions.length / 3
    positions.push(x, y - 12, z)
    for (const vertex of eye.triangles) triangles.push(first + vertex)
    for (let k = 0; k < 24; k++)
      triangles.push(first + 1 + 19 * 24 + k, lower, first + 1 + 19 * 24 + ((k + 1) % 24))
  }
  return {
    positions: Float32Array.from(positions),
    triangles,
    landmarks: landmarks.map(({ vertex }) => vertex),
  }
}

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
