import { ValueError } from '@facekit/core'
import { bakeFaceTextures, decodeSrgb, encodeUsdz, roughnessFromShininess } from '@facekit/export'
import { decode } from 'fast-png'
import ndarray from 'ndarray'
import { type BufferGeometry, LoadingManager, type Mesh, type MeshPhysicalMaterial } from 'three'
import { USDAParser } from 'three/addons/loaders/usd/USDAParser.js'
import { USDLoader } from 'three/addons/loaders/USDLoader.js'
import { describe, expect, it } from 'vitest'
import { createDome } from './dome.js'

/** Files of a zip by its central directory, as a reader that trusts nothing else: where each begins, how it is stored. */
function filesOf(zip: Uint8Array): Map<string, { start: number; method: number; bytes: Uint8Array }> {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength)
  const end = zip.length - 22
  expect(view.getUint32(end, true)).toBe(0x06054b50)
  const files = new Map<string, { start: number; method: number; bytes: Uint8Array }>()
  let at = view.getUint32(end + 16, true)
  for (let i = view.getUint16(end + 10, true); i > 0; i--) {
    expect(view.getUint32(at, true)).toBe(0x02014b50)
    const [name, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true))
    const local = view.getUint32(at + 42, true)
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true)
    files.set(new TextDecoder().decode(zip.subarray(at + 46, at + 46 + name)), {
      start,
      method: view.getUint16(at + 10, true),
      bytes: zip.subarray(start, start + view.getUint32(at + 20, true)),
    })
    at += 46 + name + extra + comment
  }
  return files
}

const layerOf = (usdz: Uint8Array) => new TextDecoder().decode(filesOf(usdz).get('face.usda')!.bytes)

/** Prims and attributes of a layer by path, as three.js parses them. */
const specsOf = (usdz: Uint8Array) => new USDAParser().parseData(layerOf(usdz)).specsByPath

describe('encodeUsdz', () => {
  it('value: files are stored uncompressed, the layer first, each on a boundary of 64 bytes', () => {
    const files = filesOf(encodeUsdz(createDome(), { size: 64 }))
    expect([...files.keys()]).toEqual(['face.usda', 'textures/diffuse.png', 'textures/specular.png'])
    for (const { start, method } of files.values()) expect([start % 64, method]).toEqual([0, 0])
    expect(decode(files.get('textures/diffuse.png')!.bytes).width).toBe(64)
  })

  it('value: the same face gives the same bytes', () => {
    expect(encodeUsdz(createDome(), { size: 32 })).toEqual(encodeUsdz(createDome(), { size: 32 }))
  })

  it('value: the material has the maps, the reflectance and the roughness', () => {
    const dome = createDome()
    const normal = ndarray(new Uint8Array(64 * 64 * 3).fill(128), [64, 64, 3])
    const mouth = ndarray(new Uint8Array(4 * 8 * 3).fill(200), [4, 8, 3])
    const textures = { ...bakeFaceTextures(dome, { size: 64 }), normal, mouth }
    const innerMouthUv = Float32Array.from(dome.uv, (value) => value / 2)
    const usdz = encodeUsdz({ ...dome, innerMouthUv }, { textures, name: 'my face' })
    expect([...filesOf(usdz).keys()].slice(1)).toEqual(
      ['diffuse', 'specular', 'normal', 'mouth'].map((name) => `textures/${name}.png`),
    )
    const specs = specsOf(usdz)
    const field = (path: string) => specs[`/my_face/materials/${path}`].fields
    const value = (path: string) => field(path).default
    expect(value('skin/surface.inputs:useSpecularWorkflow')).toBe(1)
    expect(value('skin/surface.inputs:roughness')).toBeCloseTo(roughnessFromShininess(30), 5)
    expect(value('skin/specularColor.inputs:sourceColorSpace')).toBe('sRGB')
    expect(value('skin/normal.inputs:sourceColorSpace')).toBe('raw')
    expect(value('inner_mouth/diffuseColor.inputs:file')).toBe('textures/mouth.png')
    // The largest specular albedo of the dome is 0.06; a texel times the scale is the albedo at its place.
    const scale = (value('skin/specularColor.inputs:scale') as number[])[1]
    const { data } = decode(filesOf(usdz).get('textures/specular.png')!.bytes)
    expect(scale).toBeCloseTo(0.06, 5)
    expect(scale * decodeSrgb(data[(32 * 64 + 32) * 3 + 1] / 255)).toBeCloseTo(0.04, 3)
  })

  it('value: three.js reads metres, UV, normals, triangles, and the mouth apart', async () => {
    const dome = createDome()
    const usdz = encodeUsdz({ ...dome, uv: undefined })
    const group = new USDLoader(new LoadingManager()).parse(usdz.slice().buffer)
    const meshes = new Map<string, Mesh<BufferGeometry, MeshPhysicalMaterial>>()
    group.traverse((object) => {
      if ('isMesh' in object) meshes.set(object.name, object as never)
    })
    expect([...meshes.keys()]).toEqual(['skin', 'inner_mouth'])
    const { geometry, material } = meshes.get('skin')!
    const position = geometry.getAttribute('position')
    const corner = (i: number) => (geometry.index ? geometry.index.getX(i) : i)
    expect(geometry.index?.count ?? position.count).toBe(dome.triangles.length)
    for (const i of [0, 100, 500]) {
      const v = dome.triangles[i]
      expect(position.getY(corner(i))).toBeCloseTo(dome.vertices[3 * v + 1] / 1000, 5)
      const out = [0, 1, 2].reduce(
        (sum, c) =>
          sum + (dome.vertices[3 * v + c] / 90) * geometry.getAttribute('normal').array[3 * corner(i) + c],
        0,
      )
      expect(out).toBeGreaterThan(0.98)
    }
    expect(material.roughness).toBeCloseTo(0.5, 5)
    // Which colours vertices have it does not show, and maps it loads in browsers only.
    const colors = specsOf(usdz)['/face/skin.primvars:displayColor'].fields.default as number[]
    expect(colors[300]).toBeCloseTo(dome.diffuse[300], 5)
    const places = specsOf(encodeUsdz(dome, { size: 16 }))['/face/skin.primvars:st'].fields
      .default as number[]
    expect(places[301]).toBeCloseTo(dome.uv[301], 5)
  })

  it('value: texts of any kind come back', () => {
    const text = 'a "b"\\c\nd'
    const layer = layerOf(encodeUsdz(createDome(), { size: 16, extras: { license: text } }))
    const line = layer.split('\n').find((each) => each.includes('string license'))!
    expect(JSON.parse(line.slice(line.indexOf('= ') + 2))).toBe(text)
  })

  it('throws: what is no face', () => {
    const dome = createDome()
    dome.vertices[4] = Number.NaN
    expect(() => encodeUsdz(dome)).toThrow(ValueError)
  })
})
