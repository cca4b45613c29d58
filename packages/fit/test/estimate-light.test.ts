import type { FaceAnnotation } from '@facekit/annotate'
import { fitFace } from '@facekit/fit'
import { evaluateAlbedo } from '@facekit/morphable'
import type { FaceParameters } from '@facekit/parameters'
import { createTinyFace, useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import type { NdArray } from 'ndarray'
import { beforeAll, describe, expect, it } from 'vitest'
import { randomParameters, syntheticAnnotation } from './synthetic-annotation.js'

const model = createTinyFace()

/** A face in white light, whose harmonics are given in their order. */
function lit(...harmonics: number[]): FaceParameters {
  const parameters = randomParameters(model, 4)
  const rows = Array.from({ length: 9 }, (_, b) => [1, 1, 1].map((one) => one * (harmonics[b] ?? 0)))
  const sphericalHarmonics = tf.tensor3d([rows])
  return { ...parameters, illumination: { ...parameters.illumination, sphericalHarmonics } }
}

/** The harmonics that a fit begins with, before its first step: `[9][3]`. */
async function lightOf(picture: NdArray<Uint8Array>, annotation: FaceAnnotation) {
  const { parameters, metrics } = await fitFace(picture, annotation, model, { iterations: 0 })
  const [harmonics] = await parameters.illumination.sphericalHarmonics.array()
  return { harmonics, metrics }
}

describe('the light that a fit begins with', () => {
  beforeAll(() => useBackend('wasm'))

  it('value: comes from the side that it came from, and explains the picture', async () => {
    for (const side of [1, -1]) {
      const { picture, annotation } = await syntheticAnnotation(model, lit(3.5, 0.2, 0.5, side))
      const { harmonics, metrics } = await lightOf(picture, annotation)
      expect(side * harmonics[3][0]).toBeGreaterThan(0.5)
      expect(metrics.colorError).toBeLessThan(0.04)
    }
  })

  it('value: points that are no skin hardly change it', async () => {
    const truth = lit(3.5, 0, 0.6)
    const clean = await syntheticAnnotation(model, truth)
    const { harmonics } = await lightOf(clean.picture, clean.annotation)
    const dirty = await syntheticAnnotation(model, truth)
    const { image } = dirty.annotation.alignment
    const [height, width] = image.shape
    // Every tenth pixel is a white reflection.
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        if ((3 * y + x) % 10 === 0) for (let c = 0; c < 3; c++) image.set(y, x, c, 1)
    const spoilt = await lightOf(dirty.picture, dirty.annotation)
    expect(Math.abs(spoilt.harmonics[0][0] - harmonics[0][0]) / harmonics[0][0]).toBeLessThan(0.1)
  })

  it('value: in dim and in coloured light it is a light that rooms have, and explains the picture', async () => {
    for (const color of [
      [0.16, 0.1, 0.06],
      [1.3, 0.9, 0.5],
      [0.6, 0.7, 1.2],
    ]) {
      const white = lit(3.3, 0.4, 0.5, 0.6)
      const sphericalHarmonics = tf.mul(white.illumination.sphericalHarmonics, color) as tf.Tensor3D
      const parameters = { ...white, illumination: { ...white.illumination, sphericalHarmonics } }
      const { picture, annotation } = await syntheticAnnotation(model, parameters)
      const { harmonics, metrics } = await lightOf(picture, annotation)
      expect(metrics.colorError).toBeLessThan(0.1)
      for (let c = 0; c < 3; c++) {
        const mean = (k: number) => harmonics[k][c]
        const seen = 0.282095 * mean(0) + 0.325735 * mean(2) + 0.157696 * mean(6)
        expect(seen).toBeGreaterThan(0)
        // Two deviations about the mean of rooms, and what the seen half adds.
        expect(mean(0) / seen).toBeGreaterThan(1.4)
        expect(mean(0) / seen).toBeLessThan(5)
      }
    }
  })

  it('value: a black-and-white picture gets the hues of the mean face in light without colour', async () => {
    const { picture, annotation } = await syntheticAnnotation(model, lit(3.3, 0.4, 0.5, 0.6))
    const { data } = annotation.alignment.image
    for (let i = 0; i < data.length; i += 3) data.fill(data[i + 1], i, i + 3)
    const { parameters, metrics } = await fitFace(picture, annotation, model, { iterations: 0 })
    const { diffuse } = evaluateAlbedo(model, parameters.albedo)
    const [skin, mean] = [await diffuse.data(), model.albedo.diffuseMean.data].map((values) =>
      [0, 1, 2].map((c) =>
        Float32Array.from(values).reduce((sum, value, i) => (i % 3 === c ? sum + value : sum), 0),
      ),
    )
    const [harmonics] = await parameters.illumination.sphericalHarmonics.array()
    for (const c of [0, 2]) {
      expect(skin[c] / skin[1] / (mean[c] / mean[1])).toBeCloseTo(1, 0)
      expect(harmonics[0][c] / harmonics[0][1]).toBeCloseTo(1, 0)
    }
    expect(metrics.colorError).toBeLessThan(0.05)
  })

  it('value: a lamp is where its highlight is, and none is seen without one', async () => {
    const lampOf = async (side: number, strength: number) => {
      const matt = lit(3, 0.3, 0.5)
      const illumination = {
        ...matt.illumination,
        lightPosition: tf.tensor2d([[side * 700, 300, 900]]),
        lightColor: tf.fill([1, 3], strength) as tf.Tensor2D,
        shininess: tf.tensor2d([[30]]),
      }
      const { picture, annotation } = await syntheticAnnotation(model, { ...matt, illumination })
      const { parameters } = await fitFace(picture, annotation, model, { iterations: 0 })
      const [position] = await parameters.illumination.lightPosition.array()
      const [[color]] = await parameters.illumination.lightColor.array()
      const cosine =
        (side * 700 * position[0] + 300 * position[1] + 900 * position[2]) /
        (Math.hypot(...position) * Math.hypot(700, 300, 900))
      return { cosine, color }
    }
    const none = await lampOf(1, 1e-3)
    for (const side of [1, -1]) {
      const { cosine, color } = await lampOf(side, 4)
      // Within 28 degrees; the usual place of the lamp is 37 away.
      expect(cosine).toBeGreaterThan(0.88)
      expect(color).toBeGreaterThan(1.5 * none.color)
    }
  })
})
