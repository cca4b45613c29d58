import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ModelFormatError, writeSafetensors, type SafetensorsEntry } from '@facekit/core'
import {
  createMorphableModel,
  detectModelFormat,
  encodeMorphableModel,
  readArrayModel,
  readMorphableModel,
  validateModel,
  type MorphableModel,
} from '@facekit/morphable'
import { zipSync } from 'fflate'
import ndarray from 'ndarray'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { face, flameArrays, npy } from './face-files.js'

const model = face()
const { vertexCount, layout, shape, triangles } = model
const size = vertexCount * 3
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facekit-arrays-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Modes are the tiny face's, in millimetres. */
function expectModes(read: MorphableModel, basis: Float32Array = shape.identity.data): void {
  validateModel(read)
  expect(read.shape.identity.data.length).toBeGreaterThan(0)
  const worst = read.shape.identity.data.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - basis[i])),
    0,
  )
  expect(worst).toBeLessThan(1e-3)
}

describe('createMorphableModel', () => {
  it('value: arrays in every order give the same model', () => {
    const { landmarks } = model
    const common = { name: 'mine', mean: shape.mean, triangles, landmarks }
    const turned = new Float32Array(shape.identity.data.length)
    for (let i = 0; i < size; i++) {
      for (let k = 0; k < layout.identity; k++)
        turned[i * layout.identity + k] = shape.identity.data[k * size + i]
    }
    for (const identity of [
      shape.identity,
      shape.identity.data,
      { shape: [layout.identity, size], data: shape.identity.data },
      { shape: [size, layout.identity], data: turned },
      ndarray(turned, [vertexCount, 3, layout.identity]),
      // A view that is not dense.
      ndarray(turned, [layout.identity, vertexCount, 3], [1, 3 * layout.identity, layout.identity]),
    ]) {
      const read = createMorphableModel({ ...common, identity })
      expectModes(read)
      expect(read.layout).toEqual({ identity: layout.identity, expression: 0, albedo: 0 })
      expect(read.license).toBe('unknown')
    }
  })

  it('value: other units and axes become millimetres and facing +z', () => {
    // Centimetres, looking along -y, with z up.
    const turn = (data: Float32Array) => data.map((_, i) => [data[i], -data[i + 1], data[i - 1]][i % 3] / 10)
    const read = createMorphableModel({
      name: 'turned',
      mean: turn(shape.mean.data),
      identity: turn(shape.identity.data),
      triangles: model.triangles,
      landmarks: model.landmarks,
    })
    const side = (m: MorphableModel, a: number, b: number, c: number) =>
      m.shape.mean.get(m.landmarks[a], c) - m.shape.mean.get(m.landmarks[b], c)
    expect(side(read, 45, 36, 0)).toBeCloseTo(side(model, 45, 36, 0), 0)
    expect(side(read, 27, 8, 1)).toBeGreaterThan(100)
    // Modes turn with the mean, and keep their lengths.
    const length = (data: Float32Array) => Math.hypot(...data.subarray(0, size))
    expect(length(read.shape.identity.data)).toBeCloseTo(length(shape.identity.data), 1)
  })

  // Without landmarks, the axes are found by where the template fits.
  it.each<[string, (x: number, y: number, z: number) => number[]]>([
    ['z up', (x, y, z) => [x, -z, y]],
    ['y down', (x, y, z) => [x, -y, z]],
    ['z flipped', (x, y, z) => [x, y, -z]],
    ['x forward, metres', (x, y, z) => [z / 1000, x / 1000, y / 1000]],
  ])('value: axes are found without landmarks: %s', (_, turn) => {
    const mean = new Float32Array(size)
    for (let i = 0; i < size; i += 3)
      mean.set(turn(shape.mean.data[i], shape.mean.data[i + 1], shape.mean.data[i + 2]), i)
    const read = createMorphableModel({ name: 'turned', mean, triangles }, { template: model })
    // A flipped face is one whose left and right are exchanged.
    const side = Math.sign(read.shape.mean.get(0, 0) * shape.mean.get(0, 0))
    const distances = Array.from({ length: vertexCount }, (__, v) =>
      Math.hypot(...[side, 1, 1].map((sign, c) => sign * read.shape.mean.get(v, c) - shape.mean.get(v, c))),
    )
    expect(Math.max(...distances)).toBeLessThan(2)
    validateModel(read)
  })

  it('throws: a mesh that shows no face along any axis', () => {
    const ball = Float32Array.from(shape.mean.data, (value, i) => {
      const v = i - (i % 3)
      const [x, y, z] = [0, 1, 2].map((c) => shape.mean.data[v + c] - (c === 2 ? -20 : 0))
      return (value * 90) / Math.hypot(x, y, z)
    })
    const make = () => createMorphableModel({ name: 'ball', mean: ball, triangles }, { template: model })
    expect(make).toThrow(/no face was found along any axis of the mesh .* pass \{ landmarks \}/)
  })

  it('throws: sizes, numbers and indices that do not fit', () => {
    const good = { name: 'mine', mean: shape.mean, triangles: model.triangles, landmarks: model.landmarks }
    const make = (part: object) => () => createMorphableModel({ ...good, ...part })
    expect(make({ mean: new Float32Array(4) })).toThrow(/mean is \[4\], expected \[N, 3\]/)
    expect(make({ identity: new Float32Array(5) })).toThrow(/identity is \[5\], expected \[K, \d+, 3\]/)
    expect(make({ identity: new Float32Array(size).fill(Number.NaN) })).toThrow(/identity holds NaN/)
    expect(make({ triangles: [0, 1, vertexCount] })).toThrow(/triangles names vertex/)
    expect(make({ triangles: [0, 1] })).toThrow(/triangles is \[2\]/)
    expect(make({ uv: new Float32Array(4) })).toThrow(/uv is \[4\]/)
    expect(make({ millimetres: 500 })).toThrow(/one unit of the mesh would have to be/)
    expect(make({ diffuseMean: new Float32Array(6) })).toThrow(ModelFormatError)
    expect(make({ diffuseMean: new Float32Array(size).fill(180) })).toThrow(
      /diffuseMean holds 180, expected linear RGB in 0..1; divide colours in 0..255 by 255/,
    )
  })
})

describe('readArrayModel', () => {
  it('value: FLAME-like .npz, stored and deflated, with bases split and the jaw as an expression', async () => {
    const arrays = flameArrays(model)
    for (const level of [0, 6] as const) {
      const read = await readArrayModel(zipSync(arrays, { level }), { splitAt: layout.identity })
      expectModes(read)
      expect(read.layout.expression).toBe(layout.expression)
      expect(read.shape.expression.data[7]).toBeCloseTo(shape.expression.data[7], 3)
    }
    const joints = new Float32Array(5 * vertexCount)
    joints[2 * vertexCount + model.landmarks[0]] = 1
    const weights = new Float32Array(vertexCount * 5)
    weights[model.landmarks[8] * 5 + 2] = 1
    const withJaw = {
      ...arrays,
      'J_regressor.npy': npy(joints, [5, vertexCount]),
      'weights.npy': npy(weights, [vertexCount, 5]),
    }
    const read = await readArrayModel(zipSync(withJaw), { splitAt: layout.identity })
    expect(read.layout.expression).toBe(layout.expression + 1)
    const chin = [0, 1, 2].map((c) => read.shape.expression.get(layout.expression, model.landmarks[8], c))
    // Turning about the joint by the ear: the chin, below and before it, goes down and back.
    expect(chin[0]).toBe(0)
    expect(chin[1]).toBeLessThan(-5)
    expect(chin[2]).toBeLessThan(-5)
  })

  it('value: arrays as those of GNM Head: metres, modes first, quads, texts, joints and groups that are passed over', async () => {
    const metres = (data: Float32Array) => data.map((value) => value / 1000)
    const basis = (modes: Float32Array) => npy(metres(modes), [modes.length / size, vertexCount, 3])
    // Triangle i is corners 0 1 2 of quad i, triangle Q + i its corners 2 3 0; here of quads with one side of no length.
    const quads = Int32Array.from(
      { length: (triangles.length / 3) * 4 },
      (_, i) => triangles[Math.floor(i / 4) * 3 + Math.min(i % 4, 2)],
    )
    // A numpy scalar text: <U3 with four bytes a letter.
    const version = npy(new Int32Array(3), [])
    version.set(
      new TextEncoder().encode("{'descr': '<U3', 'fortran_order': False, 'shape': (), }".padEnd(60)),
      10,
    )
    const read = await readArrayModel(
      zipSync({
        'version.npy': version,
        'template_vertex_positions.npy': npy(metres(shape.mean.data), [vertexCount, 3]),
        'vertex_identity_basis.npy': basis(shape.identity.data),
        'expression_basis.npy': basis(shape.expression.data),
        'template_joint_positions.npy': npy(new Float32Array(12), [4, 3]),
        'skinning_weights.npy': npy(new Float32Array(4 * vertexCount), [4, vertexCount]),
        'vertex_groups.npy': npy(new Float32Array(2 * vertexCount), [2, vertexCount]),
        'triangles.npy': npy(Int32Array.from(triangles), [triangles.length / 3, 3]),
        'quads.npy': npy(quads, [quads.length / 4, 4]),
      }),
      { template: model },
    )
    expectModes(read)
    expect(read.layout).toMatchObject({ identity: layout.identity, expression: layout.expression })
    expect(Math.abs(read.shape.mean.get(5, 1) - shape.mean.get(5, 1))).toBeLessThan(2)
    // Albedo that the file lacks is the template's, on this mesh.
    expect(read.layout.albedo).toBe(layout.albedo)
    expect(read.albedo.diffuseMean.get(7, 0)).toBeCloseTo(model.albedo.diffuseMean.get(7, 0), 1)
  })

  it('value: identity and expression in one array are told apart, and cut each', async () => {
    const arrays = flameArrays(model)
    // The first expression moves the face much more than the last identity does, as in FLAME.
    const scaled = {
      ...model,
      shape: {
        ...shape,
        expression: ndarray(
          shape.expression.data.map((value) => value * 10),
          shape.expression.shape,
        ),
      },
    }
    const bytes = zipSync(flameArrays(scaled))
    expect((await readArrayModel(bytes)).layout).toMatchObject({
      identity: layout.identity,
      expression: layout.expression,
    })
    const cut = await readMorphableModel(bytes, { identityModes: 2, expressionModes: 1 })
    expect(cut.layout).toMatchObject({ identity: 2, expression: 1 })
    expect(cut.shape.expression.get(0, 7, 1)).toBeCloseTo(10 * shape.expression.get(0, 7, 1), 3)
    await expect(readArrayModel(zipSync(arrays), { splitAt: 99 })).rejects.toThrow(
      /splitAt is 99, the file has/,
    )
    // 400 modes without a jump: 300 of identity.
    const many = new Float32Array(size * 400).fill(1e-4)
    const flame = { ...arrays, 'shapedirs.npy': npy(many, [vertexCount, 3, 400]) }
    expect((await readMorphableModel(zipSync(flame), { identityModes: 100 })).layout).toMatchObject({
      identity: 100,
      expression: 100,
    })
  })

  it('value: flags count for every format, or are refused', async () => {
    const own = encodeMorphableModel(model)
    const cut = await readMorphableModel(own, {
      identityModes: 1,
      expressionModes: 1,
      albedoModes: 1,
      name: 'cut',
    })
    expect(cut.layout).toEqual({ identity: 1, expression: 1, albedo: 1 })
    expect(cut.name).toBe('cut')
    expect(cut.shape.expressionNames).toEqual(shape.expressionNames?.slice(0, 1))
    validateModel(cut)
    const { identity, expression } = shape
    const separate = zipSync({
      ...flameArrays(model),
      'shapedirs.npy': npy(
        identity.data.map((value) => value / 1000),
        [...identity.shape],
      ),
      'exprdirs.npy': npy(
        expression.data.map((value) => value / 1000),
        [...expression.shape],
      ),
    })
    expect(
      (await readMorphableModel(separate, { identityModes: 1, expressionModes: 1 })).layout,
    ).toMatchObject({
      identity: 1,
      expression: 1,
    })
    await expect(readMorphableModel(own, { landmarks: model.landmarks })).rejects.toThrow(
      'option "landmarks" does not go with a file of format facekit; leave it out',
    )
    await expect(readMorphableModel(own, { splitAt: 3 })).rejects.toThrow(/option "splitAt" does not go with/)
  })

  it('value: .npy headers in any order and spacing, as numpy reads them', async () => {
    const arrays = flameArrays(model)
    const rows = triangles.length / 3
    for (const header of [
      `{'shape':(${rows},3),'fortran_order':False,'descr':'<i4'}`,
      `{"descr": "<i4", 'fortran_order' : False , 'shape': ( ${rows}L, 3L ), }`,
      `{ 'fortran_order': False, 'descr': '<i4', 'shape': (${rows}, 3,) }`,
    ]) {
      const read = await readArrayModel(zipSync({ ...arrays, 'f.npy': npy(triangles, [rows, 3], header) }))
      expect(read.triangles).toEqual((await readArrayModel(zipSync(arrays))).triangles)
    }
    for (const header of [
      `{'descr': '<i4', 'shape': (${rows}, 3)}`,
      `{'descr': [('x', '<i4')], 'fortran_order': False, 'shape': (${rows}, 3)}`,
      `{'descr': '<i4', 'fortran_order': False, 'shape': (${rows}, 3), 'more': 1}`,
      `{'descr': '<i4', 'fortran_order': False, 'shape': __import__('os')}`,
    ]) {
      const bytes = zipSync({ ...arrays, 'f.npy': npy(triangles, [rows, 3], header) })
      await expect(readArrayModel(bytes)).rejects.toThrow(/f.npy: the header is "\{/)
    }
  })

  it('value: landmarks as triangles and weights', async () => {
    const arrays = flameArrays(model)
    delete arrays['landmarks.npy']
    const faces = Int32Array.from(model.landmarks, (vertex) =>
      Math.floor(model.triangles.indexOf(vertex) / 3),
    )
    const bary = new Float32Array(68 * 3)
    faces.forEach((t, i) => {
      bary[i * 3 + [0, 1, 2].findIndex((k) => model.triangles[t * 3 + k] === model.landmarks[i])] = 1
    })
    const embedded = {
      ...arrays,
      'full_lmk_faces_idx.npy': npy(faces, [1, 68]),
      'full_lmk_bary_coords.npy': npy(bary, [1, 68, 3]),
    }
    const read = await readArrayModel(zipSync(embedded))
    expect(read.landmarks.subarray(0, 60)).toEqual(model.landmarks.subarray(0, 60))
  })

  it('value: .safetensors of any origin, and a JSON description with files beside it', async () => {
    const tensors = new Map<string, SafetensorsEntry>([
      ['mean', { shape: [vertexCount, 3], data: shape.mean.data.map((value) => value / 10) }],
      [
        'identity_basis',
        { shape: [...shape.identity.shape], data: shape.identity.data.map((value) => value / 10) },
      ],
      ['triangles', { shape: [model.triangles.length / 3, 3], data: model.triangles }],
      // As torch stores them, and weights of another network beside them.
      ['landmarks68', { shape: [68], data: Float64Array.from(model.landmarks), type: 'I64' as const }],
      ['layer', { shape: [2], data: Float32Array.of(1, 2), type: 'BF16' as const }],
    ])
    const metadata = { license: 'MIT', unit: 'centimetre' }
    const path = join(folder, 'foreign.safetensors')
    await writeFile(path, writeSafetensors({ metadata, tensors }))
    const read = await readMorphableModel(path)
    expectModes(read)
    expect(read.license).toBe('MIT')

    await writeFile(join(folder, 'identity.npy'), npy(shape.identity.data, [layout.identity, vertexCount, 3]))
    const description = {
      name: 'described',
      license: 'CC0-1.0',
      millimetres: 1,
      mean: Array.from({ length: vertexCount }, (_, v) => [...shape.mean.data.subarray(v * 3, v * 3 + 3)]),
      identity: 'identity.npy',
      triangles: [...model.triangles],
      landmarks: [...model.landmarks],
    }
    const json = join(folder, 'model.json')
    await writeFile(json, JSON.stringify(description))
    const described = await readMorphableModel(json, { name: 'mine' })
    expectModes(described)
    expect([described.name, described.license]).toEqual(['mine', 'CC0-1.0'])
    await writeFile(json, JSON.stringify({ ...description, identity: '../../etc/passwd' }))
    await expect(readMorphableModel(json)).rejects.toThrow(/no name of an .npy file beside the description/)
    await writeFile(json, JSON.stringify({ ...description, colour: 3 }))
    await expect(readMorphableModel(json)).rejects.toThrow(/"colour" is unknown/)
  })

  it('value: formats are told from the content', async () => {
    expect(await detectModelFormat(encodeMorphableModel(model))).toBe('facekit')
    // Whatever the length of its header is: a small number, spaces, a brace.
    for (let length = 0; length < 4200; length += 40) {
      const named = encodeMorphableModel({ ...model, name: 'x'.repeat(length) })
      expect(await detectModelFormat(named)).toBe('facekit')
    }
    expect(await detectModelFormat(zipSync(flameArrays(model)))).toBe('arrays')
    expect(await detectModelFormat(new TextEncoder().encode('  {"mean": []}'))).toBe('arrays')
    expect((await readMorphableModel(encodeMorphableModel(model))).layout).toEqual(layout)
  })

  it('throws: objects, bombs, missing arrays', async () => {
    const arrays = flameArrays(model)
    const text = (value: string) => new TextEncoder().encode(value)
    const object = npy(new Float32Array(1), [1])
    object.set(text("{'descr': '|O8', 'fortran_order': False, 'shape': (1,), }"), 10)
    // 256 KiB of deflated bytes, which numbers of 32 bits would make 1 GiB of.
    const wide = zipSync(
      { ...arrays, 'uv.npy': npy(new Uint8Array(2 ** 27 - 2 ** 20), [2 ** 27 - 2 ** 20]) },
      { level: 9 },
    )
    expect(wide.length).toBeLessThan(2 ** 20)
    const before = process.memoryUsage().arrayBuffers
    await expect(readArrayModel(wide)).rejects.toThrow(/numbers take \d+ bytes, more than/)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 29)
    const far = zipSync({ ...arrays, 'uv.npy': npy(new Uint8Array(2 ** 28), [2 ** 28]) }, { level: 9 })
    await expect(readArrayModel(far)).rejects.toThrow(
      /would unpack to 268435\d+ bytes from \d+, expected at most/,
    )
    const bomb = zipSync({ ...arrays, 'uv.npy': npy(new Float32Array(4), [2, 2]) }, { level: 6 })
    // The size that the directory promises, in the entry of uv.npy.
    const at = bomb.length - 22 - 46 - 'uv.npy'.length
    new DataView(bomb.buffer).setUint32(at + 24, 0x7fffffff, true)
    const cases: [() => Promise<unknown>, RegExp][] = [
      [
        () => readArrayModel(zipSync({ ...arrays, 'shapedirs.npy': object })),
        /shapedirs.npy: it holds Python objects/,
      ],
      [() => readArrayModel(bomb), /would unpack to 2147483647 bytes/],
      [() => readArrayModel(Uint8Array.of(0x80, 2, 0x7d, 0x71, 0)), /pickle is truncated/],
      [() => detectModelFormat(text('hello')), /no format that is known/],
      [
        () => readArrayModel(zipSync({ 'a.npy': npy(new Float32Array(3), [3]) })),
        /no array "mean" .* \(the file has a\)/,
      ],
      [() => readArrayModel(zipSync(arrays).subarray(0, 4000)), /cannot be unpacked as .npz/],
      [() => readArrayModel(text('{"mean": [[1, 2], [3]]}')), /rows of different lengths/],
      [() => readArrayModel('/nowhere.npz'), /no such file/],
    ]
    for (const [failure, message] of cases) {
      const error = await failure().catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(ModelFormatError)
      expect((error as Error).message).toMatch(message)
    }
  })
})
