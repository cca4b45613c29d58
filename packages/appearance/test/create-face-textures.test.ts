import { createFaceTextures, type FaceAppearance } from '@facekit/appearance'
import { loadBaseModel } from '@facekit/base-model'
import { ShapeError, ValueError } from '@facekit/core'
import { evaluateAlbedo, evaluateShape, type MorphableModel } from '@facekit/morphable'
import { createTinyFace, useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import { beforeAll, describe, expect, it } from 'vitest'
import { renderedPhotograph } from './rendered-photograph.js'

const SIZE = 256

/** Light with three bands, coloured, from the side. */
const COLORED = Array.from({ length: 9 }, (_, b) => {
  const value = [2.6, 0.4, 0.7, -0.9, 0.1, 0.1, 0.15, -0.2, 0.1][b]
  return [1.15 * value, value, 0.8 * value]
})

/** Light in which fair skin is nearly burnt out. */
const BRIGHT = Array.from({ length: 9 }, (_, b) => {
  const value = [5.5, 0.8, 1, 0.1][b] ?? 0.05
  return [1.1 * value, value, 0.9 * value]
})

describe('createFaceTextures', () => {
  let model: MorphableModel
  beforeAll(async () => {
    await useBackend('wasm')
    model = await loadBaseModel()
  })

  /** Mean difference of the map from the albedo that was rendered, over vertices that the photograph shows (or those that it does not). */
  async function albedoError(maps: FaceAppearance, albedo: tf.Tensor2D, isSeen = true) {
    const { diffuse } = evaluateAlbedo(model, albedo)
    const truth = await diffuse.data()
    let [sum, count] = [0, 0]
    for (let i = 0; i < model.vertexCount; i++) {
      const column = Math.min(Math.floor(model.uv!.get(i, 0) * SIZE), SIZE - 1)
      const row = Math.min(Math.floor((1 - model.uv!.get(i, 1)) * SIZE), SIZE - 1)
      const seen = maps.seen.get(row, column)
      if (isSeen ? seen < 0.8 : seen > 0) continue
      for (let c = 0; c < 3; c++) sum += Math.abs(maps.diffuse.get(row, column, c) - truth[3 * i + c])
      count += 3
    }
    expect(count).toBeGreaterThan(300)
    return sum / count
  }

  it('value: a rendered face of known albedo gives its texture back, in white and in coloured light', async () => {
    for (const harmonics of [undefined, COLORED]) {
      const { photograph, fit } = await renderedPhotograph(model, { harmonics })
      const maps = await createFaceTextures([photograph], [fit], model, { size: SIZE })
      expect(maps.diffuse.shape).toEqual([SIZE, SIZE, 3])
      expect(await albedoError(maps, fit.parameters.albedo)).toBeLessThan(0.012)
    }
  })

  it('value: a black-and-white photograph gives colours of skin, and its own shades', async () => {
    const { photograph, fit } = await renderedPhotograph(model, {})
    const { image } = fit.annotation.alignment
    for (const [pixels, count] of [
      [photograph.data, photograph.data.length],
      [image.data, image.data.length],
    ] as const)
      for (let i = 0; i < count; i += 3) pixels.fill(pixels[i + 1], i, i + 3)
    // A scar across the forehead.
    for (let x = 200; x < 312; x++)
      for (let y = 150; y < 160; y++) for (let c = 0; c < 3; c++) photograph.set(y, x, c, 40)
    const maps = await createFaceTextures([photograph], [fit], model, { size: SIZE, detail: false })
    const truth = await evaluateAlbedo(model, fit.parameters.albedo).diffuse.data()
    const ratios: number[] = []
    let darkest = 1
    for (let i = 0; i < model.vertexCount; i++) {
      const column = Math.min(Math.floor(model.uv!.get(i, 0) * SIZE), SIZE - 1)
      const row = Math.min(Math.floor((1 - model.uv!.get(i, 1)) * SIZE), SIZE - 1)
      if (maps.seen.get(row, column) < 0.8) continue
      const [r, g] = [0, 1].map((c) => maps.diffuse.get(row, column, c) / truth[3 * i + c])
      ratios.push(r / g)
      darkest = Math.min(darkest, g)
    }
    ratios.sort((a, b) => a - b)
    expect(ratios[Math.floor(0.02 * ratios.length)]).toBeGreaterThan(0.93)
    expect(ratios[Math.floor(0.98 * ratios.length)]).toBeLessThan(1.07)
    expect(darkest).toBeLessThan(0.4)
  })

  it('value: what an open mouth shows comes back on its own map, without the light; a shut one has none', async () => {
    const teeth = [200, 180, 150]
    const { photograph, fit } = await renderedPhotograph(model, { jaw: 0.6, teeth })
    const { mouth } = await createFaceTextures([photograph], [fit], model, { size: SIZE })
    const middle = [0, 1, 2].map((c) => mouth!.get(64, 128, c))
    // Gray light of about 0.9 falls on the lips: all channels are divided alike, and by twice as much in a light twice as strong.
    const light = teeth.map((byte, c) => (byte / 255) ** 2.2 / middle[c])
    for (const value of light) expect(value).toBeCloseTo(light[0], 2)
    expect(light[0]).toBeGreaterThan(0.8)
    expect(light[0]).toBeLessThan(1.1)
    const strong = [6.2, 1.2, 1, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1].map((value) => [value, value, value])
    const bright = await renderedPhotograph(model, { jaw: 0.6, teeth, harmonics: strong })
    const { mouth: half } = await createFaceTextures([bright.photograph], [bright.fit], model, { size: SIZE })
    expect(half!.get(64, 128, 0)).toBeCloseTo(middle[0] / 2, 3)
    const shut = await renderedPhotograph(model, {})
    expect(
      (await createFaceTextures([shut.photograph], [shut.fit], model, { size: SIZE })).mouth,
    ).toBeUndefined()
    // Of several photographs the one that shows it.
    const both = await createFaceTextures([shut.photograph, photograph], [shut.fit, fit], model, {
      size: SIZE,
    })
    expect(both.mouth!.get(64, 128, 0)).toBeCloseTo(middle[0], 5)
  })

  it('value: where the photograph is darker than the highlight would be, there is less specular albedo', async () => {
    const { photograph, fit } = await renderedPhotograph(model, { lamp: 6 })
    const specularAt = async (landmark: number) => {
      const { specular } = await createFaceTextures([photograph], [fit], model, { size: SIZE })
      const vertex = model.landmarks[landmark]
      const [u, v] = [0, 1].map((axis) => model.uv!.get(vertex, axis))
      return specular.get(Math.floor((1 - v) * SIZE), Math.floor(u * SIZE), 0)
    }
    const [tip, before] = [30, await specularAt(30)]
    // Soot on the tip of the nose, where the highlight is.
    const { landmarks } = fit.annotation
    const [x, y] = [0, 1].map((axis) => Math.round(landmarks.get(tip, axis)))
    for (let row = y - 12; row <= y + 12; row++)
      for (let column = x - 12; column <= x + 12; column++)
        for (let c = 0; c < 3; c++) photograph.set(row, column, c, 10)
    expect(before).toBeGreaterThan(0.02)
    expect(await specularAt(tip)).toBeLessThan(0.5 * before)
  })

  it('value: what a turned head hides is filled, and near the truth', async () => {
    const { photograph, fit } = await renderedPhotograph(model, { yaw: 0.7, harmonics: COLORED })
    const maps = await createFaceTextures([photograph], [fit], model, { size: SIZE })
    expect(await albedoError(maps, fit.parameters.albedo)).toBeLessThan(0.015)
    expect(await albedoError(maps, fit.parameters.albedo, false)).toBeLessThan(0.03)
  })

  it('value: there is no seam where the photograph ends, though its colours are others than the model says', async () => {
    const { photograph, fit } = await renderedPhotograph(model, { yaw: 0.5 })
    // The picture is a quarter darker than the fit: everything that it shows is, too.
    const dark = ndarray(
      photograph.data.map((value) => 0.87 * value),
      photograph.shape,
    )
    const even = await createFaceTextures([photograph], [fit], model, { size: SIZE })
    const moved = await createFaceTextures([dark], [fit], model, { size: SIZE })
    // The factor between the two is smooth over the whole map: a hard edge would be a step of 0.1 or more.
    const steps: number[] = []
    for (let row = 40; row < SIZE - 40; row++) {
      for (let column = 30; column < SIZE - 31; column++) {
        const factor = (x: number) => moved.diffuse.get(row, x, 1) / even.diffuse.get(row, x, 1)
        // Bytes are too coarse where it is dark.
        if (Math.min(even.diffuse.get(row, column, 1), even.diffuse.get(row, column + 1, 1)) < 0.06) continue
        steps.push(Math.abs(factor(column + 1) - factor(column)))
      }
    }
    steps.sort((a, b) => a - b)
    expect(steps[Math.floor(0.999 * steps.length)]).toBeLessThan(0.03)
    expect(steps.at(-1)).toBeLessThan(0.08)
    // What no camera saw is darker, too.
    let [sum, count] = [0, 0]
    for (let texel = 0; texel < SIZE * SIZE; texel++) {
      if (even.seen.data[texel] > 0 || even.diffuse.data[3 * texel] < 0.02) continue
      sum += moved.diffuse.data[3 * texel] / even.diffuse.data[3 * texel]
      count++
    }
    expect(sum / count).toBeLessThan(0.95)
  })

  /** log(red / blue) of the map less that of the albedo that was rendered, at the vertices that count, in ascending order. */
  async function hueErrors(maps: FaceAppearance, albedo: tf.Tensor2D, isCounted: (seen: number) => boolean) {
    const truth = await evaluateAlbedo(model, albedo).diffuse.data()
    const errors: number[] = []
    for (let i = 0; i < model.vertexCount; i++) {
      const column = Math.min(Math.floor(model.uv!.get(i, 0) * SIZE), SIZE - 1)
      const row = Math.min(Math.floor((1 - model.uv!.get(i, 1)) * SIZE), SIZE - 1)
      if (!isCounted(maps.seen.get(row, column))) continue
      const warmth = maps.diffuse.get(row, column, 0) / maps.diffuse.get(row, column, 2)
      errors.push(Math.log((warmth * truth[3 * i + 2]) / truth[3 * i]))
    }
    return errors.sort((x, y) => x - y)
  }

  it('value: where a highlight is burnt out the skin keeps its hue', async () => {
    const { photograph, fit } = await renderedPhotograph(model, { lamp: 20, harmonics: BRIGHT })
    expect(photograph.data.reduce((sum, value) => sum + (value === 255 ? 1 : 0), 0)).toBeGreaterThan(2000)
    const maps = await createFaceTextures([photograph], [fit], model, { size: SIZE, detail: false })
    // Red is what burns out first: without it skin is green.
    const truth = await evaluateAlbedo(model, fit.parameters.albedo).diffuse.data()
    const { forehead, nose, cheeks } = model.regions!
    const reds = [...forehead, ...nose, ...cheeks].map((i) => {
      const column = Math.min(Math.floor(model.uv!.get(i, 0) * SIZE), SIZE - 1)
      const row = Math.min(Math.floor((1 - model.uv!.get(i, 1)) * SIZE), SIZE - 1)
      const [red, green] = [0, 1].map((c) => maps.diffuse.get(row, column, c) / truth[3 * i + c])
      return Math.log(red / green)
    })
    expect(Math.min(...reds)).toBeGreaterThan(-0.15)
  })

  it('value: two lamps of different colours leave little of them, at their border too', async () => {
    const { photograph, fit } = await renderedPhotograph(model, {})
    for (let y = 0; y < 512; y++)
      for (let x = 0; x < 512; x++)
        for (const [c, tint] of (x < 256 ? [1.15, 1, 0.75] : [0.85, 1, 1.2]).entries())
          photograph.set(y, x, c, Math.min(Math.round(tint * photograph.get(y, x, c)), 255))
    const maps = await createFaceTextures([photograph], [fit], model, { size: SIZE, detail: false })
    const errors = await hueErrors(maps, fit.parameters.albedo, (seen) => seen > 0.8)
    // The tints are 0.9 and -0.75 of log(red / blue).
    expect(errors[Math.floor(0.01 * errors.length)]).toBeGreaterThan(-0.4)
    expect(errors[Math.floor(0.99 * errors.length)]).toBeLessThan(0.4)
  })

  it('value: two photographs show more than one', async () => {
    const left = await renderedPhotograph(model, { yaw: 0.7 })
    const right = await renderedPhotograph(model, { yaw: -0.7 })
    const share = ({ seen }: FaceAppearance) =>
      seen.data.reduce((sum, value) => sum + (value > 0.5 ? 1 : 0), 0)
    const one = await createFaceTextures([left.photograph], [left.fit], model, { size: SIZE })
    const both = await createFaceTextures([left.photograph, right.photograph], [left.fit, right.fit], model, {
      size: SIZE,
    })
    expect(share(both)).toBeGreaterThan(1.25 * share(one))
    expect(await albedoError(both, left.fit.parameters.albedo)).toBeLessThan(0.015)
  })

  it('value: photographs in lights that their fits do not know have no seam between them', async () => {
    const views = await Promise.all([-0.6, 0, 0.6].map((yaw) => renderedPhotograph(model, { yaw })))
    const textured = async (tints: readonly (readonly number[])[]) => {
      const pictures = views.map(({ photograph }, i) =>
        ndarray(
          photograph.data.map((value, k) => tints[i][k % 3] * value),
          photograph.shape,
        ),
      )
      const fits = views.map(({ fit }) => fit)
      return (await createFaceTextures(pictures, fits, model, { size: SIZE, detail: false })).diffuse
    }
    const even = await textured([1, 1, 1].map((tint) => [tint, tint, tint]))
    // Dark and warm, as it is, cool: 0.4 and 0.25 of the logarithm of linear red apart.
    const odd = await textured([
      [0.84, 0.8, 0.74],
      [1, 1, 1],
      [0.9, 0.95, 1.02],
    ])
    // Across the face, over a hundredth of the map, from the model's left cheek to the right one.
    const steps: number[] = []
    for (let row = 80; row < SIZE - 60; row++)
      for (let column = 40; column < SIZE - 44; column++) {
        const factor = (x: number) => Math.log(odd.get(row, x, 0) / even.get(row, x, 0))
        if (Math.min(even.get(row, column, 0), even.get(row, column + 3, 0)) < 0.06) continue
        steps.push(Math.abs(factor(column + 3) - factor(column)))
      }
    steps.sort((a, b) => a - b)
    expect(steps.length).toBeGreaterThan(5000)
    expect(steps[Math.floor(0.99 * steps.length)]).toBeLessThan(0.03)
  })

  it('value: eyes that are wider open than the fit has them do not get onto the lids', async () => {
    const { photograph, fit } = await renderedPhotograph(model)
    const { alignment, landmarks } = fit.annotation
    // The upper lids are 10 pixels higher, and what is between them is red.
    for (const [first, ...upper] of [
      [36, 37, 38],
      [42, 43, 44],
    ]) {
      for (const l of upper) alignment.landmarks.set(l, 1, alignment.landmarks.get(l, 1) - (10 * 224) / 512)
      const corner = (l: number) => [landmarks.get(l, 0), landmarks.get(l, 1)]
      const [[left], [right], [, top], [, bottom]] = [first, first + 3, upper[0], first + 4].map(corner)
      for (let y = Math.round(top) - 9; y < bottom; y++)
        for (let x = Math.round(left + 0.35 * (right - left)); x < left + 0.65 * (right - left); x++)
          photograph.data.set([230, 10, 10], 3 * (512 * y + x))
    }
    const { diffuse } = await createFaceTextures([photograph], [fit], model, { size: SIZE, detail: false })
    let red = 0
    // The eyeballs lie in the corners below.
    for (let texel = 0; texel < 0.8 * SIZE * SIZE; texel++)
      if (diffuse.data[3 * texel] > 4 * diffuse.data[3 * texel + 1]) red++
    expect(red).toBeLessThan(12)
  })

  it('value: what covers the face does not get into the texture, nor what reaches a little over its border', async () => {
    // A green bar over a cheek, 65.6 to 87.5 pixels of the crop, and the columns that the face region leaves out.
    for (const [first, last] of [
      [63, 90],
      [68, 85],
    ]) {
      const { photograph, fit } = await renderedPhotograph(model)
      const { faceRegion } = fit.annotation
      for (let y = 0; y < 512; y++)
        for (let x = 150; x < 200; x++) for (let c = 0; c < 3; c++) photograph.set(y, x, c, c === 1 ? 255 : 0)
      for (let y = 0; y < 224; y++) for (let x = first; x < last; x++) faceRegion.set(y, x, 0)
      const { diffuse } = await createFaceTextures([photograph], [fit], model, { size: SIZE })
      let green = 0
      for (let texel = 0; texel < SIZE * SIZE; texel++) {
        const [r, g] = diffuse.data.subarray(3 * texel, 3 * texel + 2)
        if (g > 1.2 * r && g > 0.1) green++
      }
      expect(green / (SIZE * SIZE)).toBeLessThan(0.001)
    }
  })

  it('value: a dark line is a furrow, and leaves the albedo for a good part; an even face has no relief', async () => {
    const { photograph, fit } = await renderedPhotograph(model)
    const even = await createFaceTextures([photograph], [fit], model, { size: SIZE })
    const depth = (maps: FaceAppearance) =>
      Math.max(...maps.displacement!.data.map((value) => Math.abs(value)))
    // A line of 3 pixels across the forehead.
    for (let x = 180; x < 330; x++)
      for (let y = 160; y < 163; y++)
        for (let c = 0; c < 3; c++) photograph.set(y, x, c, Math.round(0.9 * photograph.get(y, x, c)))
    const lined = await createFaceTextures([photograph], [fit], model, { size: SIZE })
    const painted = await createFaceTextures([photograph], [fit], model, { size: SIZE, detail: false })
    expect(painted.normal).toBeUndefined()
    const middle = SIZE / 2
    const column = Array.from(
      { length: SIZE },
      (_, row) => lined.displacement!.get(row, middle) - even.displacement!.get(row, middle),
    )
    const deepest = column.indexOf(Math.min(...column))
    expect(column[deepest]).toBeLessThan(-0.03)
    expect(column[deepest]).toBeGreaterThan(-1)
    expect(depth(even)).toBeLessThan(1)
    // Above the furrow the surface leans down into it, below it up.
    const lean = (row: number) => lined.normal!.get(row, middle, 1) - even.normal!.get(row, middle, 1)
    expect(Math.min(...[1, 2, 3].map((k) => lean(deepest - k)))).toBeLessThan(-0.005)
    expect(Math.max(...[1, 2, 3].map((k) => lean(deepest + k)))).toBeGreaterThan(0.005)
    const contrast = ({ diffuse }: FaceAppearance) =>
      1 - diffuse.get(deepest, middle, 0) / even.diffuse.get(deepest, middle, 0)
    expect(contrast(lined)).toBeLessThan(0.9 * contrast(painted))
    for (let i = 0; i < lined.normal!.data.length; i += 3 * 97)
      expect(Math.hypot(...lined.normal!.data.subarray(i, i + 3))).toBeCloseTo(1, 4)
  })

  it('value: a shadow that the fit does not know is in the shading, which makes the photograph of the maps again', async () => {
    const { photograph, fit } = await renderedPhotograph(model)
    const even = await createFaceTextures([photograph], [fit], model, { size: SIZE })
    // Half of the picture has 60 % of the light.
    for (let y = 0; y < 512; y++)
      for (let x = 256; x < 512; x++)
        for (let c = 0; c < 3; c++) photograph.set(y, x, c, 0.6 ** (1 / 2.2) * photograph.get(y, x, c))
    const dark = await createFaceTextures([photograph], [fit], model, { size: SIZE })
    const shape = evaluateShape(model, fit.parameters)
    const places = await shape.data()
    shape.dispose()
    expect(dark.shading).toHaveLength(1)
    expect(dark.shading[0].shape).toEqual([64, 64, 3])
    /** Mean of a number over seen vertices at least 20 mm to the right (or left) of the middle. */
    const meanOn = (side: 1 | -1, number: (at: (map: FaceAppearance['diffuse']) => number) => number) => {
      let [sum, count] = [0, 0]
      for (let v = 0; v < model.vertexCount; v++) {
        if (side * places[3 * v] < 20) continue
        const at = (map: FaceAppearance['diffuse']) => {
          const width = map.shape[1]
          const column = Math.min(Math.floor(model.uv!.get(v, 0) * width), width - 1)
          return map.get(Math.min(Math.floor((1 - model.uv!.get(v, 1)) * width), width - 1), column, 1)
        }
        if (dark.seen.get(...texelOf(v)) < 0.8) continue
        sum += number(at)
        count++
      }
      return sum / count
    }
    const texelOf = (v: number): [number, number] => [
      Math.min(Math.floor((1 - model.uv!.get(v, 1)) * SIZE), SIZE - 1),
      Math.min(Math.floor(model.uv!.get(v, 0) * SIZE), SIZE - 1),
    ]
    const shadow = meanOn(1, (at) => at(dark.shading[0]) / at(even.shading[0]))
    expect(shadow).toBeGreaterThan(0.6)
    expect(shadow).toBeLessThan(0.85)
    expect(meanOn(1, (at) => at(dark.diffuse) / at(even.diffuse))).toBeGreaterThan(0.7)
    const product = ({ diffuse, shading }: FaceAppearance, at: (map: FaceAppearance['diffuse']) => number) =>
      at(diffuse) * at(shading[0])
    expect(meanOn(1, (at) => product(dark, at) / product(even, at))).toBeCloseTo(0.6, 1)
    expect(meanOn(-1, (at) => product(dark, at) / product(even, at))).toBeCloseTo(1, 1)
  })

  it('value: the hard edge of a shadow leaves no edge on the skin, whichever side of the face it is on', async () => {
    for (const side of [-1, 1]) {
      const { photograph, fit } = await renderedPhotograph(model)
      const even = await createFaceTextures([photograph], [fit], model, { size: SIZE, detail: false })
      // A lamp that a slanting edge hides: what is behind it has 30 % of the light.
      for (let y = 0; y < 512; y++)
        for (let x = 0; x < 512; x++)
          if (side * (x - 256 + 0.3 * (y - 256)) > 0)
            for (let c = 0; c < 3; c++) photograph.set(y, x, c, 0.3 ** (1 / 2.2) * photograph.get(y, x, c))
      const maps = await createFaceTextures([photograph], [fit], model, { size: SIZE, detail: false })
      let [sum, count] = [0, 0]
      for (let row = 0; row < SIZE; row++)
        for (let column = 0; column < SIZE; column++) {
          if (even.seen.get(row, column) < 0.8) continue
          sum += Math.abs(Math.log(maps.diffuse.get(row, column, 1) / even.diffuse.get(row, column, 1)))
          count++
        }
      expect(count).toBeGreaterThan(5000)
      // 0.39 where only coarse brightness follows the model.
      expect(sum / count).toBeLessThan(0.15)
    }
  })

  it('memory: no tensor is left behind, and the caller keeps its own', async () => {
    const { photograph, fit } = await renderedPhotograph(model)
    await createFaceTextures([photograph], [fit], model, { size: 64 })
    const before = tf.memory().numTensors
    await createFaceTextures([photograph], [fit], model, { size: 64 })
    expect(tf.memory().numTensors).toBe(before)
    expect(fit.parameters.albedo.isDisposed).toBe(false)
  })

  it('throws: a size that is no power of two, fits that are missing, a model without UV', async () => {
    const { photograph, fit } = await renderedPhotograph(model, { size: 64 })
    await expect(createFaceTextures([photograph], [fit], model, { size: 1000 })).rejects.toThrow(ValueError)
    await expect(createFaceTextures([photograph], [], model)).rejects.toThrow(ShapeError)
    const bare = { ...createTinyFace(), uv: undefined }
    await expect(createFaceTextures([photograph], [fit], bare)).rejects.toThrow(/has no UV/)
  })
})
