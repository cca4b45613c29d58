import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ModelFormatError } from '@facekit/core'
import {
  detectModelFormat,
  modelStatistics,
  readIctFaceKit,
  validateModel,
  type IctFiles,
} from '@facekit/morphable'
import { describe, expect, it } from 'vitest'
import { face } from './face-files.js'
import { tinyIct } from '@facekit/testing'

const raw = fileURLToPath(new URL('../../../../shared/data/ict-facekit/raw', import.meta.url))
const missing = !existsSync(raw)
const file: IctFiles = (name) => {
  const path = `${raw}/FaceXModel/${name}`
  return Promise.resolve(existsSync(path) ? readFileSync(path, 'utf8') : undefined)
}

async function expectRefusals(file: IctFiles): Promise<void> {
  const without =
    (name: string, text?: string): IctFiles =>
    (wanted) =>
      wanted === name ? Promise.resolve(text) : file(wanted)
  const cases: [() => Promise<unknown>, RegExp][] = [
    [() => readIctFaceKit('/nowhere'), /no vertex_indices.json found/],
    [() => readIctFaceKit(without('generic_neutral_mesh.obj')), /generic_neutral_mesh.obj is missing/],
    [() => readIctFaceKit(without('vertex_indices.json', '{')), /no JSON/],
    [
      () => readIctFaceKit(without('vertex_indices.json', '{"expressions": ["../../etc"]}')),
      /no list "expressions"/,
    ],
    [
      () => readIctFaceKit(without('identity000.obj', 'v 1 2 3\n')),
      /identity000.obj has 1 vertices, expected 26719/,
    ],
    [() => readIctFaceKit(without('identity000.obj', 'v 1 x 3\n')), /no numbers in line 1/],
  ]
  for (const [failure, message] of cases) {
    const error = await failure().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ModelFormatError)
    expect((error as Error).message).toMatch(message)
  }
}

describe('readIctFaceKit on a stand-in', () => {
  const tiny = face()
  const { files } = tinyIct(tiny)
  const get: IctFiles = (name) => Promise.resolve(files(name))

  it('value: the face is cut out, in millimetres, with names and regions', async () => {
    const done: number[] = []
    const model = await readIctFaceKit(get, { onProgress: (count) => done.push(count) })
    validateModel(model)
    expect(model.layout).toEqual({ identity: 1, expression: 1, albedo: 0 })
    expect(model.license).toBe('MIT')
    expect(model.origin).toContain('1 of 100 identities, 1 of 1 expressions')
    // A hundred identities and one expression are asked for.
    expect(done.at(-1)).toBe(101)
    expect(Object.keys(model.regions!)).toEqual(expect.arrayContaining(['narrow', 'scleraLeft', 'irisRight']))
    // Centimetres of the file are millimetres here, to its four decimals.
    for (const landmark of [8, 30, 36, 45]) {
      for (let c = 0; c < 3; c++) {
        const from =
          tiny.shape.mean.get(tiny.landmarks[landmark], c) - tiny.shape.mean.get(tiny.landmarks[27], c)
        const found =
          model.shape.mean.get(model.landmarks[landmark], c) - model.shape.mean.get(model.landmarks[27], c)
        expect(found).toBeCloseTo(from, 2)
        const moved = model.shape.identity.get(0, model.landmarks[landmark], c)
        expect(Math.abs(moved - tiny.shape.identity.get(0, tiny.landmarks[landmark], c))).toBeLessThan(2e-3)
      }
    }
  })

  it('throws: files that are missing, damaged or of another mesh', async () => {
    await expectRefusals(get)
  })
})

describe.skipIf(missing)('readIctFaceKit on the original', () => {
  it('value: the face is cut out, in millimetres, with names, regions and quads', async () => {
    const done: number[] = []
    const model = await readIctFaceKit(raw, { identityModes: 2, onProgress: (count) => done.push(count) })
    validateModel(model)
    expect(model.layout).toEqual({ identity: 2, expression: 8, albedo: 0 })
    expect(model.shape.expressionNames).toContain('jawOpen')
    expect(model.shape.expressionRange).toEqual([0, 1])
    expect(done.at(-1)).toBe(55)
    expect(model.origin).toContain('8 of 53 expressions')
    expect(Object.keys(model.regions!)).toEqual(expect.arrayContaining(['narrow', 'scleraLeft', 'irisRight']))
    expect(modelStatistics(model).eyeDistance).toBeCloseTo(89, 0)
    expect(model.innerMouthTriangles.length / 3).toBeGreaterThan(40)
    // Quads and triangles are the same surface: two triangles a quad.
    const quads = model.polygons!
    let triangles = 0
    for (let p = 0; p < quads.length; p += 4) triangles += quads[p + 3] < 0 ? 1 : 2
    expect(triangles).toBe(model.triangles.length / 3)
    // Opening the jaw moves the lower lip down by centimetres, and the upper hardly.
    const jaw = model.shape.expressionNames!.indexOf('jawOpen')
    const moved = (landmark: number) => model.shape.expression.get(jaw, model.landmarks[landmark], 1)
    expect(moved(66)).toBeLessThan(-15)
    expect(Math.abs(moved(62))).toBeLessThan(5)
  })

  it('value: vertices are those of the OBJ files', async () => {
    const model = await readIctFaceKit(raw, { face: 'full', eyes: false, identityModes: 1 })
    expect(model.vertexCount).toBe(9409)
    const lines = (await file('generic_neutral_mesh.obj'))!
      .split('\n')
      .filter((line) => line.startsWith('v '))
    const identity = (await file('identity000.obj'))!.split('\n').filter((line) => line.startsWith('v '))
    const read = (line: string) => line.split(/\s+/).slice(1, 4).map(Number)
    for (const vertex of [0, 77, 1225, 9408]) {
      const expected = read(identity[vertex]).map((value, c) => (value - read(lines[vertex])[c]) * 10)
      expected.forEach((value, c) => expect(model.shape.identity.get(0, vertex, c)).toBeCloseTo(value, 3))
      const offset = [0, 1, 2].map((c) => model.shape.mean.get(vertex, c) - read(lines[vertex])[c] * 10)
      const first = [0, 1, 2].map((c) => model.shape.mean.get(0, c) - read(lines[0])[c] * 10)
      offset.forEach((value, c) => expect(value).toBeCloseTo(first[c], 2))
    }
    expect(await detectModelFormat(raw)).toBe('ict')
  })

  it('throws: files that are missing, damaged or of another mesh', async () => {
    await expectRefusals(file)
  })
})
