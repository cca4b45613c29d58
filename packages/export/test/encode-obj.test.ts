import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ValueError } from '@facekit/core'
import {
  bakeFaceTextures,
  encodeFaceTextures,
  encodeObj,
  encodePly,
  encodeSrgb,
  readFaceTextures,
  writeGlb,
  writeObj,
  writePly,
} from '@facekit/export'
import { decode } from 'fast-png'
import ndarray from 'ndarray'
import { MTLLoader } from 'three/addons/loaders/MTLLoader.js'
import { OBJLoader } from 'three/addons/loaders/OBJLoader.js'
import { describe, expect, it } from 'vitest'
import { createDome } from './dome.js'

const lines = (text: unknown, key: string) =>
  String(text)
    .split('\n')
    .filter((line) => line.startsWith(`${key} `))
    .map((line) => line.split(' ').slice(1))

describe('encodeObj', () => {
  it('value: the mouth has places and a map of its own; all maps are read back, number for number', async () => {
    const dome = createDome()
    const mouth = ndarray(
      Uint8Array.from({ length: 4 * 8 * 3 }, (_, i) => i),
      [4, 8, 3],
    )
    const baked = bakeFaceTextures(dome, { size: 64 })
    const displacement = ndarray(
      Uint16Array.from({ length: 64 * 64 }, (_, i) => 16 * i),
      [64, 64],
    )
    const textures = { ...baked, specularScale: 0.123456789, mouth, normal: baked.specular, displacement }
    const innerMouthUv = Float32Array.from(dome.uv, (value) => value / 2)
    const folder = await mkdtemp(join(tmpdir(), 'facekit-mouth-'))
    try {
      await writeObj({ ...dome, innerMouthUv }, join(folder, 'face.obj'), { textures })
      const obj = await readFile(join(folder, 'face.obj'), 'utf8')
      const places = lines(obj, 'vt')
      expect(places).toHaveLength(576 + new Set(dome.innerMouthTriangles).size)
      const [vertex, place] = lines(obj, 'f').at(-1)![0].split('/').map(Number)
      expect(place).toBeGreaterThan(576)
      for (let k = 0; k < 2; k++)
        expect(Number(places[place - 1][k])).toBeCloseTo(dome.uv[2 * (vertex - 1) + k] / 2, 4)
      const read = await readFaceTextures(folder)
      expect(read.specularScale).toBe(textures.specularScale)
      for (const name of ['diffuse', 'specular', 'normal', 'displacement', 'mouth'] as const) {
        expect(read[name]!.shape).toEqual(textures[name].shape)
        expect(read[name]!.data).toEqual(textures[name].data)
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('value: a map of shading is written beside the others and read back; without one an old file is passed over', async () => {
    const dome = createDome()
    const shading = ndarray(
      Uint8Array.from({ length: 2 * 4 * 3 }, (_, i) => 100 + i),
      [2, 4, 3],
    )
    const textures = bakeFaceTextures(dome, { size: 64 })
    const folder = await mkdtemp(join(tmpdir(), 'facekit-shading-'))
    try {
      const path = join(folder, 'face.obj')
      const files = await writeObj(dome, path, { textures: { ...textures, shading } })
      expect(files).toContain('face-shading.png')
      const read = await readFaceTextures(folder)
      expect(read.shading!.shape).toEqual([2, 4, 3])
      expect([...read.shading!.data]).toEqual([...shading.data])
      await writeObj(dome, path, { textures })
      expect((await readFaceTextures(folder)).shading).toBeUndefined()
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('value: vertices in mm, UV from the lower left, all triangles, both materials', () => {
    const dome = createDome()
    const files = encodeObj(dome, { size: 32, name: 'me' })
    expect([...files.keys()]).toEqual([
      'me.obj',
      'me.mtl',
      'me-diffuse.png',
      'me-specular.png',
      'me-mouth.png',
    ])
    const obj = files.get('me.obj')
    expect(lines(obj, 'mtllib')).toEqual([['me.mtl']])
    const vertices = lines(obj, 'v')
    expect(vertices).toHaveLength(576)
    for (let k = 0; k < 3; k++) expect(Number(vertices[100][k])).toBeCloseTo(dome.vertices[300 + k], 4)
    const uv = lines(obj, 'vt')
    for (let k = 0; k < 2; k++) expect(Number(uv[100][k])).toBeCloseTo(dome.uv[200 + k], 4)
    expect(lines(obj, 'vn')).toHaveLength(576)
    const faces = lines(obj, 'f')
    expect(faces).toHaveLength((dome.triangles.length + dome.innerMouthTriangles!.length) / 3)
    expect(faces[0]).toEqual(
      [0, 1, 2].map((k) =>
        Array(3)
          .fill(dome.triangles[k] + 1)
          .join('/'),
      ),
    )
    expect(lines(obj, 'usemtl')).toEqual([['skin'], ['inner-mouth']])
    const mtl = files.get('me.mtl')
    expect(lines(mtl, 'newmtl')).toEqual([['skin'], ['inner-mouth']])
    expect(lines(mtl, 'map_Kd')).toEqual([['me-diffuse.png'], ['me-mouth.png']])
    // A map is sRGB in every program; Kd is not.
    expect(lines(mtl, 'Kd')).toEqual([
      ['1', '1', '1'],
      ['1', '1', '1'],
    ])
    expect([...decode(files.get('me-mouth.png') as Uint8Array).data]).toEqual([39, 18, 18])
    // All digits of the float32, so that it can be read back.
    expect(lines(mtl, 'Ks')[0].map(Number)).toEqual(Array(3).fill(Math.fround(0.06)))
    expect(decode(files.get('me-specular.png') as Uint8Array).width).toBe(32)
  })

  it('value: relief is a map of 16 bits in millimetres, and bases are clamped to its range', () => {
    const map = () => ndarray(new Float32Array(4 * 4 * 3).fill(0.3), [4, 4, 3])
    const displacement = ndarray(new Float32Array(16), [4, 4])
    displacement.data.set([0, 0.25, -0.1, 7])
    const textures = encodeFaceTextures({ diffuse: map(), specular: map(), displacement })
    const files = encodeObj(createDome(), { textures, name: 'me' })
    expect(lines(files.get('me.mtl'), 'disp')).toEqual([['-mm', '-1', '2', 'me-displacement.png']])
    const { data, depth, channels } = decode(files.get('me-displacement.png') as Uint8Array)
    expect([depth, channels]).toEqual([16, 1])
    const heights = [...data.subarray(0, 4)].map((value) => -1 + (2 * value) / 65535)
    for (const [i, expected] of [0, 0.25, -0.1, 1].entries()) expect(heights[i]).toBeCloseTo(expected, 4)
    const wrong = ndarray(new Float32Array(4), [2, 2])
    expect(() => encodeFaceTextures({ diffuse: map(), specular: map(), displacement: wrong })).toThrow(
      /displacement is \[2, 2\], expected \[4, 4\]/,
    )
  })

  it('value: without UV colours stand behind the vertices', () => {
    const files = encodeObj({ ...createDome(), uv: undefined })
    expect([...files.keys()]).toEqual(['face.obj', 'face.mtl'])
    const [first] = lines(files.get('face.obj'), 'v')
    expect(Number(first[3])).toBeCloseTo(encodeSrgb(0.3), 5)
    expect(lines(files.get('face.obj'), 'f')[0][0]).toMatch(/^\d+\/\/\d+$/)
    // The mouth has vertices of its own: lips keep their colour.
    const last = lines(files.get('face.obj'), 'v').at(-1)!.slice(3)
    expect(last.map((value) => Math.round(255 * Number(value)))).toEqual([39, 18, 18])
    const corners = lines(files.get('face.obj'), 'f')
      .at(-1)!
      .map((corner) => Number(corner.split('/')[0]))
    for (const corner of corners) expect(corner).toBeGreaterThan(576)
  })

  it('value: any name of a file; references have no spaces', () => {
    const names = (name: string) => [...encodeObj(createDome(), { size: 32, name }).keys()]
    expect(names('Jürgen')).toEqual([
      'Jürgen.obj',
      'Jürgen.mtl',
      ...['diffuse', 'specular', 'mouth'].map((map) => `Jürgen-${map}.png`),
    ])
    expect(names('李 雷 #1').slice(0, 3)).toEqual(['李 雷 #1.obj', '李_雷_1.mtl', '李_雷_1-diffuse.png'])
    const files = encodeObj(createDome(), { size: 32, name: 'my face' })
    expect(lines(files.get('my face.obj'), 'mtllib')).toEqual([['my_face.mtl']])
    expect(lines(files.get('my_face.mtl'), 'map_Ks')).toEqual([['my_face-specular.png']])
  })

  it('value: three.js finds materials and maps', () => {
    const files = encodeObj(createDome(), { size: 32, name: 'Jürgen' })
    const group = new OBJLoader().parse(String(files.get('Jürgen.obj')))
    // OBJLoader keeps the reference; the program that loads it resolves it.
    expect((group as unknown as { materialLibraries: string[] }).materialLibraries).toEqual(['Jürgen.mtl'])
    const materials = new MTLLoader().parse(String(files.get('Jürgen.mtl')), '')
    expect(materials.materialsInfo['inner-mouth']).toMatchObject({
      kd: [1, 1, 1],
      map_kd: 'Jürgen-mouth.png',
    })
  })

  it('throws: names that are none of a file', () => {
    for (const name of ['', 'a/b', 'a\\b', 'a\nb', 'a:b', 'a?'])
      expect(() => encodeObj(createDome(), { name })).toThrow(ValueError)
  })
})

describe('encodePly', () => {
  it('value: header, vertices, colours and triangles', () => {
    const dome = createDome()
    const bytes = encodePly(dome)
    const text = new TextDecoder('latin1').decode(bytes)
    const start = text.indexOf('end_header\n') + 11
    const triangles = (dome.triangles.length + dome.innerMouthTriangles!.length) / 3
    expect(text).toMatch(/^ply\nformat binary_little_endian 1\.0\n/)
    const mouth = [...new Set(dome.innerMouthTriangles)]
    expect(text).toContain(`element vertex ${576 + mouth.length}\n`)
    expect(text).toContain(`element face ${triangles}\n`)
    const vertices = 576 + mouth.length
    expect(bytes.length).toBe(start + vertices * 27 + triangles * 13)
    const view = new DataView(bytes.buffer, start)
    for (let k = 0; k < 3; k++) expect(view.getFloat32(27 * 50 + 4 * k, true)).toBe(dome.vertices[150 + k])
    expect(view.getUint8(27 * 50 + 24)).toBeCloseTo(255 * encodeSrgb(dome.diffuse[150]), -0.5)
    expect(view.getUint8(27 * vertices)).toBe(3)
    expect(view.getInt32(27 * vertices + 1, true)).toBe(dome.triangles[0])
    // What is behind the lips is dark, and the lips are not: (0.02, 0.006, 0.006) as sRGB.
    const colorOf = (vertex: number) => [24, 25, 26].map((at) => view.getUint8(27 * vertex + at))
    expect(colorOf(view.getInt32(27 * vertices + 13 * (triangles - 1) + 1, true))).toEqual([39, 18, 18])
    expect(colorOf(mouth[0])[0]).toBeGreaterThan(100)
    expect(view.getFloat32(27 * 576, true)).toBe(dome.vertices[3 * mouth[0]])
    const [x, y, z] = [12, 16, 20].map((at) => view.getFloat32(27 * 50 + at, true))
    expect(Math.hypot(x, y, z)).toBeCloseTo(1, 5)
  })
})

describe('writers', () => {
  it('smoke: write whole files and nothing temporary', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'facekit-export-'))
    await writeObj(createDome(), join(folder, 'me.obj'), { size: 32 })
    await writePly(createDome(), join(folder, 'me.ply'))
    await writeGlb(createDome(), join(folder, 'me.glb'), { size: 32 })
    expect((await readdir(folder)).sort()).toEqual([
      'me-diffuse.png',
      'me-mouth.png',
      'me-specular.png',
      'me.glb',
      'me.mtl',
      'me.obj',
      'me.ply',
    ])
    expect((await readFile(join(folder, 'me.glb'))).subarray(0, 4).toString()).toBe('glTF')
    await expect(writePly(createDome(), join(folder, 'no', 'me.ply'))).rejects.toThrow('ENOENT')
  })
})
