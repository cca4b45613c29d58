import { createFaceTextures } from '@facekit/appearance'
import { loadBaseModel } from '@facekit/base-model'
import type { MorphableModel } from '@facekit/morphable'
import { useBackend } from '@facekit/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { renderedPhotograph } from './rendered-photograph.js'

const SIZE = 256

describe('createFaceTextures: borders of what covers the face', () => {
  let model: MorphableModel
  beforeAll(async () => {
    await useBackend('wasm')
    model = await loadBaseModel()
  })

  /** Luminance of the map, top row first, of a face whose left quarter is told to be hair, with dark stripes at some columns of its photograph. */
  async function stripes(columns: readonly number[]) {
    const { photograph, fit } = await renderedPhotograph(model)
    const { faceRegion } = fit.annotation
    for (let y = 0; y < 224; y++) for (let x = 0; x < 80; x++) faceRegion.set(y, x, 0)
    for (let y = 0; y < 512; y++)
      for (const first of columns)
        for (let x = first; x < first + 5; x++) for (let c = 0; c < 3; c++) photograph.set(y, x, c, 18)
    const { diffuse, seen } = await createFaceTextures([photograph], [fit], model, {
      size: SIZE,
      detail: false,
    })
    let dark = 0
    const { forehead, cheeks, chin } = model.regions!
    const skin = [...forehead, ...cheeks, ...chin]
    for (const v of skin) {
      const [row, column] = [(1 - model.uv!.get(v, 1)) * SIZE, model.uv!.get(v, 0) * SIZE].map(Math.floor)
      if (diffuse.get(row, column, 1) < 0.1) dark++
    }
    let open = 0
    for (let texel = 0; texel < SIZE * SIZE; texel++) open += seen.data[texel] > 0.5 ? 1 : 0
    return { dark: dark / skin.length, open }
  }

  it('value: a strand beside what is told to be hair leaves the skin, one in the middle of the face is its own', async () => {
    // The border is at column 183 of the photograph.
    const [none, strand, middle] = [await stripes([]), await stripes([190]), await stripes([256])]
    expect(none.dark).toBe(0)
    expect(strand.dark).toBe(0)
    expect(middle.dark).toBeGreaterThan(0.01)
    // Little else is given up for it.
    expect(none.open - strand.open).toBeLessThan(0.1 * none.open)
  })
})
