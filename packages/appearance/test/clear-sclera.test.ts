import { createFaceTextures } from '@facekit/appearance'
import { loadBaseModel } from '@facekit/base-model'
import type { MorphableModel } from '@facekit/morphable'
import { useBackend } from '@facekit/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { renderedPhotograph } from './rendered-photograph.js'

const SIZE = 256

describe('createFaceTextures: the white of the eyes', () => {
  let model: MorphableModel
  beforeAll(async () => {
    await useBackend('wasm')
    model = await loadBaseModel()
  })

  /** Colours of the map at the white of the eyes that the photograph shows, and at the irises. */
  async function eyesOf(paint: readonly number[], isPainted: (share: number) => boolean) {
    const { photograph, fit } = await renderedPhotograph(model)
    const { landmarks } = fit.annotation
    for (const [first, last] of [
      [36, 41],
      [42, 47],
    ]) {
      const places = Array.from({ length: last - first + 1 }, (_, i) => [
        landmarks.get(first + i, 0),
        landmarks.get(first + i, 1),
      ])
      const [left, right] = [Math.min(...places.map(([x]) => x)), Math.max(...places.map(([x]) => x))]
      const [top, bottom] = [Math.min(...places.map(([, y]) => y)), Math.max(...places.map(([, y]) => y))]
      for (let y = Math.floor(top) - 2; y < bottom + 2; y++)
        for (let x = Math.floor(left); x < right; x++)
          if (isPainted((x - left) / (right - left))) photograph.data.set(paint, 3 * (512 * y + x))
    }
    const { diffuse } = await createFaceTextures([photograph], [fit], model, { size: SIZE, detail: false })
    const at = (v: number) => {
      const [row, column] = [(1 - model.uv!.get(v, 1)) * SIZE, model.uv!.get(v, 0) * SIZE].map(Math.floor)
      return [0, 1, 2].map((c) => diffuse.get(row, column, c))
    }
    return [...model.regions!.sclera].map(at)
  }

  it('value: lids that the photograph has where the fit has the white do not get onto it', async () => {
    const colors = await eyesOf([190, 120, 96], (share) => share < 0.3 || share > 0.7)
    const red = colors.filter(([r, g]) => r > 1.38 * g).length
    expect(red / colors.length).toBeLessThan(0.02)
  })

  it('value: a yellow gleam leaves the white nearly white', async () => {
    const colors = await eyesOf([230, 205, 60], (share) => share < 0.3 || share > 0.7)
    const yellow = colors.filter(([, g, b]) => b < 0.7 * g).length
    expect(yellow / colors.length).toBeLessThan(0.02)
  })
})
