import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { annotate, applyTransform, cropFace, disposeNetworks, readPicture } from '@facekit/annotate'
import { learnFaceModel, loadBaseModel, loadFaceMesh, type LearnedFaceModel } from '@facekit/base-model'
import { FacekitError, ModelFormatError, ShapeError, ValueError } from '@facekit/core'
import { validateModel } from '@facekit/morphable'
import { useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { syntheticPeople, useCpu } from './synthetic-people.js'

let cache: string
beforeAll(async () => {
  await useCpu()
  cache = await mkdtemp(join(tmpdir(), 'facekit-learn-'))
})
afterAll(() => rm(cache, { recursive: true, force: true }))

describe('learnFaceModel', () => {
  let learned: LearnedFaceModel

  it('smoke: interrupted, it goes on from what was seen', { timeout: 600_000 }, async () => {
    const { people, network, reads } = await syntheticPeople(5, 3)
    const controller = new AbortController()
    const stopped = learnFaceModel(people, {
      network,
      cache,
      signal: controller.signal,
      onProgress: ({ stage, done }) => {
        if (stage === 'photographs' && done === 2) controller.abort(new Error('enough'))
      },
    })
    await expect(stopped).rejects.toThrow('enough')
    expect(reads).toHaveLength(6)
    expect(await readdir(cache)).toHaveLength(2)
    const stages: string[] = []
    learned = await learnFaceModel(people, {
      network,
      cache,
      name: 'five',
      license: 'CC0-1.0',
      onProgress: ({ stage }) => void stages.push(stage),
    })
    // Only the three that were missing are read.
    expect(reads).toHaveLength(6 + 9)
    expect([...new Set(stages)]).toEqual(['photographs', 'align', 'identity', 'expression', 'albedo', 'pack'])
    validateModel(learned.model)
    expect(learned.report.people).toBe(5)
    expect(learned.report.photographs).toBe(15)
    expect(learned.model.name).toBe('five')
    expect(learned.model.license).toBe('CC0-1.0')
  })

  it('shape: the mesh, landmarks and names of the base model', async () => {
    const base = await loadBaseModel({ variant: 'synthetic' })
    const { model } = learned
    expect(model.layout).toEqual({
      identity: 80,
      expression: 52,
      albedo: 13 + learned.report.albedoRepeatability.length,
    })
    expect(model.triangles).toEqual(base.triangles)
    expect(model.landmarks).toEqual(base.landmarks)
    expect(model.shape.expressionNames).toEqual(base.shape.expressionNames)
    expect(model.shape.mean.data).toEqual(base.shape.mean.data)
  })

  it('value: the file loads as the model, and nothing in it is not finite', async () => {
    const again = await loadBaseModel({ source: learned.bytes })
    expect(again.albedo.diffuse.data).toEqual(learned.model.albedo.diffuse.data)
    for (const part of [
      again.shape.identity,
      again.albedo.diffuse,
      again.albedo.specular,
      again.albedo.diffuseMean,
    ]) {
      expect((part.data as Float32Array).every(Number.isFinite)).toBe(true)
    }
  })

  it(
    'value: the same photographs give the same bytes, with and without the cache',
    { timeout: 600_000 },
    async () => {
      const { people, network } = await syntheticPeople(5, 3)
      // A damaged file of the cache is made again.
      const [first] = await readdir(cache)
      await writeFile(join(cache, first), 'damaged')
      const again = await learnFaceModel(people, { network, cache, name: 'five', license: 'CC0-1.0' })
      expect(Buffer.compare(Buffer.from(again.bytes), Buffer.from(learned.bytes))).toBe(0)
    },
  )

  it('throws: too few people, too few faces, the same name twice', async () => {
    const { people, network } = await syntheticPeople(3, 1)
    await expect(learnFaceModel(people.slice(1), { network })).rejects.toThrow(ValueError)
    await expect(learnFaceModel(people.slice(1), { network })).rejects.toThrow(
      /2 people, expected at least 3/,
    )
    const empty = people.map(({ name, photographs }) => ({
      name,
      photographs: photographs.map(({ key }) => ({ key, read: async () => undefined })),
    }))
    await expect(learnFaceModel(empty, { network })).rejects.toThrow(/faces of 0 people were found/)
    const twins = people.map((person) => ({ ...person, name: 'one' }))
    await expect(learnFaceModel(twins, { network })).rejects.toThrow(/same name/)
  })
})

describe('loadFaceMesh', () => {
  const photograph = fileURLToPath(import.meta.resolve('@vladmandic/face-api/demo/sample1.jpg'))

  beforeAll(() => useBackend('wasm'))
  afterAll(() => disposeNetworks())

  it('throws: missing and damaged files name the remedy', async () => {
    const nowhere = loadFaceMesh({ models: join(cache, 'nowhere') })
    await expect(nowhere).rejects.toThrow(ModelFormatError)
    await expect(nowhere).rejects.toThrow(/install @vladmandic\/human/)
    const folder = await mkdtemp(join(tmpdir(), 'facekit-mesh-'))
    try {
      await writeFile(join(folder, 'facemesh.bin'), new Uint8Array(4))
      await writeFile(join(folder, 'facemesh.json'), '{')
      await expect(loadFaceMesh({ models: folder })).rejects.toThrow(/no tfjs graph model/)
      const manifest = [{ weights: [{ name: 'w', shape: [3], dtype: 'float32' }] }]
      const json = JSON.stringify({ modelTopology: { node: [] }, weightsManifest: manifest })
      await writeFile(join(folder, 'facemesh.json'), json)
      await expect(loadFaceMesh({ models: folder })).rejects.toThrow(/end within "w"/)
      const strange = {
        modelTopology: {
          node: [
            { name: 'x', op: 'Placeholder' },
            { name: 'Identity_2', op: 'Einsum', input: ['x'] },
          ],
        },
        weightsManifest: [{ weights: [] }],
      }
      await writeFile(join(folder, 'facemesh.json'), JSON.stringify(strange))
      const network = await loadFaceMesh({ models: folder })
      const images = tf.zeros<tf.Rank.R4>([1, 192, 192, 3])
      await expect(network.predict(images)).rejects.toThrow(/operation Einsum/)
      await expect(network.predict(tf.zeros([1, 64, 64, 3]))).rejects.toThrow(ShapeError)
      images.dispose()
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
    expect(new ModelFormatError('x')).toBeInstanceOf(FacekitError)
  })

  it('value: points lie on the face of a photograph, and no tensor leaks', async () => {
    const picture = await readPicture(photograph)
    const [{ landmarks }] = await annotate(picture, { maxFaces: 1 })
    const { image, transform } = cropFace(picture, landmarks, { size: 192 })
    const input = tf.tensor4d(image.data as Float32Array, [1, 192, 192, 3])
    const before = tf.memory().numTensors
    const network = await loadFaceMesh()
    const { points, scores } = await network.predict(input)
    network.dispose()
    expect(tf.memory().numTensors).toBe(before)
    input.dispose()
    expect(scores[0]).toBeGreaterThan(0.8)
    const model = await loadBaseModel({ variant: 'synthetic' })
    const expected = applyTransform(transform, landmarks)
    const eyes = Math.hypot(
      expected.get(45, 0) - expected.get(36, 0),
      expected.get(45, 1) - expected.get(36, 1),
    )
    let error = 0
    for (let l = 17; l < 68; l++) {
      const at = model.landmarks[l] * 3
      error += Math.hypot(points[at] - expected.get(l, 0), points[at + 1] - expected.get(l, 1)) / 51
    }
    expect(error / eyes).toBeLessThan(0.07)
  })
})
