import { loadBaseModel } from '@facekit/base-model'
import { fitFace } from '@facekit/fit'
import { evaluateAlbedo, type MorphableModel } from '@facekit/morphable'
import { useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { randomParameters, syntheticAnnotation } from './synthetic-annotation.js'

describe('the tone of the skin', () => {
  let model: MorphableModel
  beforeAll(async () => {
    await useBackend('wasm')
    model = await loadBaseModel()
  })

  /** Mean diffuse albedo of the cheeks. */
  function cheeks(albedo: tf.Tensor2D): number[] {
    const colors = evaluateAlbedo(model, albedo).diffuse.dataSync()
    const { cheeks } = model.regions!
    return [0, 1, 2].map((c) => [...cheeks].reduce((sum, v) => sum + colors[3 * v + c], 0) / cheeks.length)
  }

  it('value: the white of the eyes tells it from the light: dim, bright and warm light leave nearly the same skin', async () => {
    const tones: { level: number; warmth: number }[] = []
    const truth = randomParameters(model, 4)
    for (const light of [
      [0.4, 0.4, 0.4],
      [1.1, 1.1, 1.1],
      [0.9, 0.65, 0.45],
    ]) {
      const sphericalHarmonics = tf.tensor3d([
        [3.3, 0.4, 0.4, 0.3, 0, 0, 0, 0, 0].map((value) => light.map((color) => value * color)),
      ])
      const illumination = { ...truth.illumination, sphericalHarmonics }
      const { picture, annotation } = await syntheticAnnotation(model, { ...truth, illumination }, 224)
      const { parameters } = await fitFace(picture, annotation, model, { iterations: 0 })
      const [found, wanted] = [parameters.albedo, truth.albedo].map(cheeks)
      const [red, green, blue] = found.map((value, c) => Math.log(value / wanted[c]))
      tones.push({ level: (red + green + blue) / 3, warmth: red - blue })
    }
    const [dim, bright, warm] = tones
    // The lights differ by 1.0 in brightness, and by 0.7 in warmth.
    expect(Math.abs(bright.level - dim.level)).toBeLessThan(0.3)
    for (const { level } of tones) expect(Math.abs(level)).toBeLessThan(0.45)
    for (const { warmth } of tones) expect(Math.abs(warmth)).toBeLessThan(0.2)
    expect(Math.abs(warm.warmth - dim.warmth)).toBeLessThan(0.2)
  })
})
