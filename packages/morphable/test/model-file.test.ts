import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ModelFormatError, readSafetensors, writeSafetensors, type SafetensorsFile } from '@facekit/core'
import {
  decodeMorphableModel,
  encodeMorphableModel,
  loadMorphableModel,
  saveMorphableModel,
  validateModel,
  type MorphableModel,
} from '@facekit/morphable'
import { createTinyFace } from '@facekit/testing'
import ndarray from 'ndarray'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const model = createTinyFace({ rows: 9, columns: 9 })

/** The model's bytes after a change of what the file holds. */
function changed(change: (file: SafetensorsFile) => void): Uint8Array {
  const file = readSafetensors(encodeMorphableModel(model))
  change(file)
  return writeSafetensors(file)
}

function expectRefused(bytes: Uint8Array, message: string | RegExp): void {
  let error: unknown
  try {
    decodeMorphableModel(bytes)
  } catch (thrown) {
    error = thrown
  }
  expect(error).toBeInstanceOf(ModelFormatError)
  expect((error as Error).message).toMatch(message)
  expect((error as Error).message).not.toContain('\n')
}

/** Two dense landmarks more than the 68, mirror images of each other. */
const denseParts = {
  denseLandmarks: Int32Array.of(...model.landmarks, 1, 2),
  denseMirror: Int32Array.from({ length: 70 }, (_, l) => (l < 68 ? l : 137 - l)),
}

describe('model file', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'facekit-model-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('value: what is saved is loaded, from a path, a URL, bytes and a buffer', async () => {
    const path = join(folder, 'face.safetensors')
    await saveMorphableModel(model, path)
    expect(await readdir(folder)).toEqual(['face.safetensors'])
    const loaded = await loadMorphableModel(path)
    expect(loaded).toEqual(model)
    const bytes = encodeMorphableModel(model)
    expect(await loadMorphableModel(pathToFileURL(path))).toEqual(model)
    expect(await loadMorphableModel(bytes)).toEqual(model)
    expect(await loadMorphableModel(bytes.buffer)).toEqual(model)
    const address = `data:application/octet-stream;base64,${Buffer.from(bytes).toString('base64')}`
    expect(await loadMorphableModel(address)).toEqual(model)
  })

  it('value: the header tells format, version, unit, name, licence and origin', () => {
    expect(readSafetensors(encodeMorphableModel(model)).metadata).toMatchObject({
      format: 'facekit-morphable-model',
      version: '1',
      unit: 'mm',
      name: 'tiny-face',
      license: 'Apache-2.0',
      origin: 'procedural, for tests',
    })
  })

  it('value: the same model gives the same bytes', () => {
    expect(encodeMorphableModel(model)).toEqual(
      encodeMorphableModel(decodeMorphableModel(encodeMorphableModel(model))),
    )
  })

  it('value: half precision halves the modes and keeps 3 digits of them', () => {
    const whole = encodeMorphableModel(model)
    const half = encodeMorphableModel(model, { precision: 'float16' })
    expect(half.length).toBeLessThan(whole.length * 0.65)
    const loaded = decodeMorphableModel(half)
    expect(loaded.shape.mean.data).toEqual(model.shape.mean.data)
    loaded.shape.identity.data.forEach((value, i) => {
      const expected = model.shape.identity.data[i]
      expect(Math.abs(value - expected)).toBeLessThanOrEqual(Math.abs(expected) * 1e-3 + 1e-6)
    })
  })

  it('value: dense landmarks and their mirror images stay', () => {
    const dense = { ...model, ...denseParts }
    expect(decodeMorphableModel(encodeMorphableModel(dense))).toEqual(dense)
  })

  it('value: a model without optional parts stays without them', () => {
    const { jawContours: _jaw, uv: _uv, regions: _regions, ...rest } = model
    const { expressionNames: _names, expressionRange: _range, ...shape } = model.shape
    const plain: MorphableModel = { ...rest, shape }
    expect(decodeMorphableModel(encodeMorphableModel(plain))).toEqual(plain)
  })

  it('throws: truncated at any length', () => {
    const bytes = encodeMorphableModel(model)
    for (const length of [0, 7, 8, 100, bytes.length >> 1, bytes.length - 1]) {
      expectRefused(bytes.subarray(0, length), 'decodeMorphableModel')
    }
  })

  it('throws: foreign files, other versions, other units', () => {
    expectRefused(
      new TextEncoder().encode('<!doctype html><html><body>Not found</body></html>'),
      'safetensors',
    )
    expectRefused(writeSafetensors({ metadata: {}, tensors: new Map() }), `format is not given`)
    expectRefused(
      changed((file) => (file.metadata.format = 'someone-elses')),
      'format is "someone-elses", expected "facekit-morphable-model"',
    )
    expectRefused(
      changed((file) => (file.metadata.version = '2')),
      'version 2, expected 1',
    )
    expectRefused(
      changed((file) => (file.metadata.unit = 'm')),
      'unit is m, expected mm',
    )
  })

  it('throws: NaN, missing parts, wrong sizes, indices out of range', () => {
    expectRefused(
      changed(({ tensors }) => ((tensors.get('shape.identity')!.data as Float32Array)[5] = Number.NaN)),
      'shape.identity holds NaN at position 5',
    )
    expectRefused(
      changed(({ tensors }) => tensors.delete('landmarks')),
      'tensor "landmarks" is missing',
    )
    expectRefused(
      changed(({ metadata }) => delete metadata.license),
      'header has no "license"',
    )
    expectRefused(
      changed(({ tensors }) => tensors.set('landmarks', { shape: [2], data: Uint16Array.of(1, 2) })),
      'landmarks has 2 vertices, expected 68',
    )
    expectRefused(
      changed(({ tensors }) => ((tensors.get('triangles')!.data as Uint16Array)[0] = 60000)),
      'triangles names vertex 60000',
    )
    expectRefused(
      changed(({ tensors }) =>
        tensors.set('shape.identity', { shape: [1, 2, 3], data: new Float32Array(6) }),
      ),
      'shape.identity is [1, 2, 3]',
    )
    expectRefused(
      changed(({ tensors }) => tensors.set('triangles', { shape: [3], data: new Float32Array(3) })),
      'no list of vertices',
    )
    expectRefused(
      changed(({ tensors }) => tensors.set('jawContours.lengths', { shape: [1], data: Int32Array.of(9999) })),
      'do not add up',
    )
    expectRefused(
      changed(({ metadata }) => (metadata.expressionNames = '{')),
      'no list of strings',
    )
  })

  it('throws: absurd sizes, before memory is taken', () => {
    const header = new TextEncoder().encode(
      JSON.stringify({
        'shape.mean': { dtype: 'F32', shape: [1e9, 1e9], data_offsets: [0, 4e18] },
      }).replace('4e18', '4000000000000000000'),
    )
    const bytes = new Uint8Array(8 + header.length)
    new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true)
    bytes.set(header, 8)
    expectRefused(bytes, 'decodeMorphableModel')
  })

  it('throws: no such file, a folder, a damaged file, each in one line', async () => {
    await expect(loadMorphableModel(join(folder, 'none.safetensors'))).rejects.toThrow(
      /^loadMorphableModel: .*none.safetensors: cannot be read \(no such file\); check the path$/,
    )
    await expect(loadMorphableModel(folder)).rejects.toBeInstanceOf(ModelFormatError)
    const path = join(folder, 'damaged.safetensors')
    await writeFile(path, encodeMorphableModel(model).subarray(0, 5000))
    await expect(loadMorphableModel(path)).rejects.toThrow(
      /damaged.safetensors: tensor .* truncated or damaged/,
    )
  })

  it('throws: what is not whole is not saved', async () => {
    const path = join(folder, 'never.safetensors')
    const landmarks = Int32Array.from(model.landmarks).fill(model.vertexCount)
    await expect(saveMorphableModel({ ...model, landmarks }, path)).rejects.toThrow('landmarks names vertex')
    await expect(saveMorphableModel(model, path, { precision: 'int8' as 'float16' })).rejects.toThrow(
      'precision is int8',
    )
    expect(await readdir(folder)).not.toContain('never.safetensors')
    const huge = ndarray(new Float32Array(model.shape.identity.size).fill(1e6), model.shape.identity.shape)
    const tall = { ...model, shape: { ...model.shape, identity: huge } }
    expect(() => encodeMorphableModel(tall, { precision: 'float16' })).toThrow('exceeds 65504')
  })
})

describe('validateModel', () => {
  const refuse = (change: Partial<MorphableModel>, message: string) =>
    expect(() => validateModel({ ...model, ...change })).toThrow(message)

  it('smoke: the tiny face is whole', () => validateModel(model))

  it('throws: on each kind of damage', () => {
    refuse({ vertexCount: 0 }, 'vertexCount is 0')
    refuse({ vertexCount: 12 }, 'shape.mean is [84, 3], expected [12, 3]')
    refuse({ name: undefined as unknown as string }, 'name is undefined')
    refuse({ layout: { identity: 6, expression: 4, albedo: -1 } }, 'layout.albedo is -1')
    refuse({ layout: { identity: 7, expression: 4, albedo: 5 } }, 'shape.identity is [6, 84, 3]')
    refuse({ triangles: Int32Array.of(0, 1) }, 'triangles has 2 indices')
    refuse({ triangles: [0, 1, 2] as unknown as Int32Array }, 'no Int32Array')
    refuse({ jawContours: [] }, 'jawContours has 0 rows')
    refuse({ denseLandmarks: Int32Array.of(...model.landmarks, 9999) }, 'denseLandmarks names vertex 9999')
    refuse({ denseLandmarks: model.landmarks.toReversed() }, 'the 68 come first')
    refuse({ ...denseParts, denseMirror: Int32Array.of(0) }, 'denseMirror has 1 places, expected 70')
    const spun = Int32Array.from({ length: 70 }, (_, l) => (l + 1) % 70)
    refuse({ ...denseParts, denseMirror: spun }, 'denseMirror[0] is 1, whose mirror image is not 0')
    refuse({ regions: { skin: Int32Array.of(-1) } }, 'regions.skin names vertex -1')
    refuse({ shape: { ...model.shape, expressionNames: ['a'] } }, 'expressionNames has 1')
    refuse({ shape: { ...model.shape, expressionRange: [1, 0] } }, 'expressionRange is [1, 0]')
  })
})
