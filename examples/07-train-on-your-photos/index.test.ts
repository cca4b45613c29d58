import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadBaseModel } from '@facekit/base-model'
import { writeShards, type FaceSample } from '@facekit/dataset'
import { initEngine } from '@facekit/engine'
import type { MorphableModel } from '@facekit/morphable'
import { createRegressor, mobileBackbone } from '@facekit/regressor'
import { createFaceSynthesizer } from '@facekit/synthetic'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { trainOnPhotos } from './index.js'

const SIZE = 32

/** Rendered faces in the place of photographs, each another person's. */
async function samples(model: MorphableModel, count: number): Promise<FaceSample[]> {
  const synthesizer = createFaceSynthesizer(model, { size: SIZE, batch: count })
  const batch = synthesizer.next()
  const { image, landmarks, faceRegion, innerMouth, skin } = batch
  const [pixels, points, ...masks] = await Promise.all(
    [image, landmarks, faceRegion, innerMouth, skin].map((tensor) => tensor.data()),
  )
  const area = SIZE * SIZE
  const part = (values: ArrayLike<number>, i: number, length: number) =>
    Float32Array.from({ length }, (_, k) => values[i * length + k])
  const mask = (which: number, i: number) => ndarray(part(masks[which], i, area), [SIZE, SIZE])
  const result = Array.from({ length: count }, (_, i): FaceSample => {
    const bytes = Uint8Array.from(part(pixels, i, 3 * area), (value) => Math.round(255 * value))
    return {
      key: `face-${i}`,
      identity: `person-${i}`,
      image: ndarray(bytes, [SIZE, SIZE, 3]),
      annotation: {
        box: { x: 0, y: 0, width: SIZE, height: SIZE },
        score: 1,
        transform: { scale: 1, rotation: 0, translation: [0, 0] },
        landmarks: ndarray(part(points, i, 136), [68, 2]),
        faceRegion: mask(0, i),
        innerMouth: mask(1, i),
        skinProbability: mask(2, i),
        embedding: new Float32Array(128),
      },
    }
  })
  tf.dispose(batch as unknown as tf.TensorContainer)
  synthesizer.dispose()
  return result
}

describe('07-train-on-your-photos', () => {
  let folder: string
  beforeAll(async () => {
    await initEngine({ backend: 'wasm' })
    folder = await mkdtemp(join(tmpdir(), 'facekit-photos-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('value: trains on shards with people held out, and writes a network', async () => {
    const model = await loadBaseModel()
    const labels = join(folder, 'labels')
    await writeShards(await samples(model, 8), labels)
    const regressor = createRegressor({
      backbone: mobileBackbone({ width: 0.2, features: 32 }),
      layout: model.layout,
      inputSize: SIZE,
    })
    const before = regressor.variables[0].dataSync().slice()
    const result = await trainOnPhotos({
      regressor,
      model,
      labels,
      folder: join(folder, 'run'),
      iterations: 2,
      size: SIZE,
      batch: 2,
      share: 0.3,
    })
    expect(result.iterations).toBe(2)
    expect(result.evaluation?.colorError).toBeLessThan(1)
    expect(regressor.variables[0].dataSync()).not.toEqual(before)
    expect(await readdir(join(folder, 'run'))).toContain('regressor.safetensors')
    regressor.dispose()
  })
})
