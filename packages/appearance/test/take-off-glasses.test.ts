import { createFaceTextures, type FaceAppearance } from '@facekit/appearance'
import { loadBaseModel } from '@facekit/base-model'
import { evaluateAlbedo, type MorphableModel } from '@facekit/morphable'
import { useBackend } from '@facekit/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { renderedPhotograph } from './rendered-photograph.js'

const SIZE = 256

describe('createFaceTextures: glasses', () => {
  let model: MorphableModel
  let truth: Float32Array
  beforeAll(async () => {
    await useBackend('wasm')
    model = await loadBaseModel()
  })

  /** A face that wears glasses: dark frames, of whose lenses the mask knows what `told` says, and a little less than they are. */
  async function withGlasses(told: { left: boolean; right: boolean }) {
    const { photograph, fit } = await renderedPhotograph(model, {})
    truth = (await evaluateAlbedo(model, fit.parameters.albedo).diffuse.data()) as Float32Array
    const { landmarks } = fit.annotation
    const at = (first: number, last: number) =>
      [0, 1].map((axis) => {
        let sum = 0
        for (let l = first; l <= last; l++) sum += landmarks.get(l, axis) / (last - first + 1)
        return sum
      })
    const lenses = { left: at(36, 41), right: at(42, 47) }
    const apart = lenses.right[0] - lenses.left[0]
    const [outer, inner] = [0.4 * apart, 0.34 * apart]
    const isFrame = (x: number, y: number) =>
      Object.values(lenses).some(([cx, cy]) => {
        const away = Math.hypot(x - cx, 1.25 * (y - cy))
        return away < outer && away > inner
      })
    for (let y = 0; y < 512; y++)
      for (let x = 0; x < 512; x++)
        if (isFrame(x + 0.5, y + 0.5)) for (let c = 0; c < 3; c++) photograph.set(y, x, c, 12)
    const { faceRegion } = fit.annotation
    for (const side of ['left', 'right'] as const) {
      if (!told[side]) continue
      const [cx, cy] = lenses[side]
      for (let y = 0; y < 224; y++)
        for (let x = 0; x < 224; x++)
          if (Math.hypot(((x + 0.5) * 512) / 224 - cx, (1.25 * (y + 0.5) * 512) / 224 - 1.25 * cy) < inner)
            faceRegion.set(y, x, 0)
    }
    return { photograph, fit }
  }

  /** Share of the skin around the eyes where the map is a quarter darker than the albedo, as frames are. */
  function darkShare(maps: FaceAppearance): number {
    const eyes = new Set([...(model.regions!.eyeLeft ?? []), ...(model.regions!.eyeRight ?? [])])
    const brows = new Set(model.regions!.brows ?? [])
    const [left, right, tip] = [36, 45, 30].map((l) => model.uv!.get(model.landmarks[l], 0))
    const [top, bottom] = [37, 30].map((l) => model.uv!.get(model.landmarks[l], 1))
    expect(tip).toBeGreaterThan(left)
    let [dark, all] = [0, 0]
    for (let v = 0; v < model.vertexCount; v++) {
      const [u, w] = [model.uv!.get(v, 0), model.uv!.get(v, 1)]
      if (eyes.has(v) || brows.has(v) || u < left || u > right || w > top || w < bottom) continue
      const [row, column] = [Math.floor((1 - w) * SIZE), Math.floor(u * SIZE)]
      all++
      if (maps.diffuse.get(row, column, 1) < 0.75 * truth[3 * v + 1]) dark++
    }
    expect(all).toBeGreaterThan(300)
    return dark / all
  }

  it('value: frames around what the mask leaves out leave nothing on the skin', async () => {
    const { photograph, fit } = await withGlasses({ left: true, right: true })
    const maps = await createFaceTextures([photograph], [fit], model, { size: SIZE, detail: false })
    expect(darkShare(maps)).toBeLessThan(0.015)
  })

  it('value: a lens that the mask does not know is found by the other one', async () => {
    const { photograph, fit } = await withGlasses({ left: true, right: false })
    const { landmarks, faceRegion } = fit.annotation
    // A gleam on the other lens.
    const [x, y] = [0, 1].map((axis) => Math.round((landmarks.get(46, axis) * 224) / 512))
    for (let row = y; row < y + 10; row++)
      for (let column = x - 10; column < x + 10; column++) faceRegion.set(row, column, 0)
    const maps = await createFaceTextures([photograph], [fit], model, { size: SIZE, detail: false })
    expect(darkShare(maps)).toBeLessThan(0.015)
  })

  it('value: hair over one eye is no glasses: the other one stays as it is seen', async () => {
    const { photograph, fit } = await renderedPhotograph(model, {})
    const { landmarks, faceRegion } = fit.annotation
    const [inner, low] = [39, 1].map((l, axis) => (landmarks.get(l, axis) * 224) / 512)
    for (let row = 0; row < low; row++)
      for (let column = 0; column < inner; column++) faceRegion.set(row, column, 0)
    const maps = await createFaceTextures([photograph], [fit], model, { size: SIZE, detail: false })
    const seenAt = (landmark: number) => {
      const vertex = model.landmarks[landmark]
      const [u, v] = [0, 1].map((axis) => model.uv!.get(vertex, axis))
      return maps.seen.get(Math.floor((1 - v) * SIZE), Math.floor(u * SIZE))
    }
    expect(seenAt(18)).toBeLessThan(0.1)
    for (const brow of [23, 24, 25]) expect(seenAt(brow)).toBeGreaterThan(0.5)
  })
})
