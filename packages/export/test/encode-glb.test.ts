import { ShapeError, ValueError } from '@facekit/core'
import { bakeFaceTextures, encodeGlb, roughnessFromShininess, type FaceMesh } from '@facekit/export'
import { WebIO } from '@gltf-transform/core'
import { KHRMaterialsIOR, KHRMaterialsSpecular, type IOR, type Specular } from '@gltf-transform/extensions'
import { decode } from 'fast-png'
import { validateBytes } from 'gltf-validator'
import ndarray from 'ndarray'
import { describe, expect, it } from 'vitest'
import { createDome } from './dome.js'

const read = (bytes: Uint8Array) =>
  new WebIO().registerExtensions([KHRMaterialsIOR, KHRMaterialsSpecular]).readBinary(bytes)

async function expectValid(bytes: Uint8Array): Promise<void> {
  const { issues } = await validateBytes(bytes)
  expect(issues.messages.filter(({ severity }) => severity < 2)).toEqual([])
  expect([issues.numErrors, issues.numWarnings, issues.numInfos]).toEqual([0, 0, 0])
}

describe('encodeGlb', () => {
  it('value: the Khronos validator finds no fault', async () => {
    await expectValid(await encodeGlb(createDome(), { size: 64, name: 'me', extras: { seed: 1 } }))
  })

  it('value: without UV, mouth and normals it is valid, too', async () => {
    const { vertices, triangles, diffuse, specular } = createDome()
    const bytes = await encodeGlb({ vertices, triangles, diffuse, specular })
    await expectValid(bytes)
    const [mesh] = (await read(bytes)).getRoot().listMeshes()
    const [primitive, ...others] = mesh.listPrimitives()
    expect(others).toEqual([])
    expect(primitive.getAttribute('COLOR_0')!.getArray()![0]).toBeCloseTo(0.3, 5)
    const material = primitive.getMaterial()!.getExtension<Specular>('KHR_materials_specular')!
    const index = primitive.getMaterial()!.getExtension<IOR>('KHR_materials_ior')!.getIOR()
    const reflectance = ((index - 1) / (index + 1)) ** 2
    expect(material.getSpecularColorFactor()[1] * reflectance).toBeCloseTo(0.04, 5)
  })

  it('value: many vertices get 32-bit indices', async () => {
    const { vertices, triangles, diffuse, specular } = createDome()
    const repeat = (values: Float32Array) => {
      const all = new Float32Array(values.length * 120)
      for (let i = 0; i < 120; i++) all.set(values, i * values.length)
      return all
    }
    const far = triangles.map((index) => index + 119 * 576)
    const mesh = { vertices: repeat(vertices), triangles: far, diffuse: repeat(diffuse) }
    const bytes = await encodeGlb({ ...mesh, specular: repeat((specular as { data: Float32Array }).data) })
    const [primitive] = (await read(bytes)).getRoot().listMeshes()[0].listPrimitives()
    expect(primitive.getIndices()!.getArray()).toBeInstanceOf(Uint32Array)
  })

  it('value: a map of the mouth is worn where the mesh says how, and is valid', async () => {
    const dome = createDome()
    const mouth = ndarray(new Uint8Array(4 * 8 * 3).fill(200), [4, 8, 3])
    const textures = { ...bakeFaceTextures(dome, { size: 64 }), mouth }
    const innerMouthUv = Float32Array.from(dome.uv, (value) => value / 2)
    const bytes = await encodeGlb({ ...dome, innerMouthUv }, { textures })
    await expectValid(bytes)
    const sheet = (await read(bytes)).getRoot().listMeshes()[0].listPrimitives()[1]
    const { width, height } = decode(sheet.getMaterial()!.getBaseColorTexture()!.getImage()!)
    expect([width, height]).toEqual([8, 4])
    expect(sheet.getMaterial()!.getBaseColorFactor()).toEqual([1, 1, 1, 1])
    const place = sheet.getAttribute('TEXCOORD_0')!.getElement(30, [])
    expect(place[1]).toBeCloseTo(1 - dome.uv[61] / 2, 6)
    const dark = (await read(await encodeGlb(dome, { textures })))
      .getRoot()
      .listMeshes()[0]
      .listPrimitives()[1]
    expect(dark.getMaterial()!.getBaseColorTexture()).toBeNull()
  })

  it('value: metres, UV from the upper left, mouth apart, maps and specular reflectance', async () => {
    const dome = createDome()
    const root = (await read(await encodeGlb(dome, { size: 64 }))).getRoot()
    const [skin, mouth] = root.listMeshes()[0].listPrimitives()
    const position = skin.getAttribute('POSITION')!
    expect(position.getMax([])[2]).toBeCloseTo(Math.max(...dome.vertices) / 1000, 3)
    expect(position.getElement(0, [])[0]).toBeCloseTo(dome.vertices[0] / 1000, 7)
    const uv = skin.getAttribute('TEXCOORD_0')!.getElement(30, [])
    expect(uv[0]).toBeCloseTo(dome.uv[60], 6)
    expect(uv[1]).toBeCloseTo(1 - dome.uv[61], 6)
    expect(mouth.getIndices()!.getCount()).toBe(dome.innerMouthTriangles!.length)
    expect(mouth.getMaterial()!.getBaseColorFactor()[0]).toBeLessThan(0.05)

    const material = skin.getMaterial()!
    expect(material.getMetallicFactor()).toBe(0)
    expect(material.getRoughnessFactor()).toBeCloseTo(0.5, 5)
    const specular = material.getExtension<Specular>('KHR_materials_specular')!
    // F0 of the index * factor * texture = albedo; the largest specular albedo of the dome is 0.06.
    expect(specular.getSpecularColorFactor()[0]).toBeCloseTo(1, 4)
    const index = material.getExtension<IOR>('KHR_materials_ior')!.getIOR()
    expect(((index - 1) / (index + 1)) ** 2).toBeCloseTo(0.06, 5)
    for (const texture of [material.getBaseColorTexture()!, specular.getSpecularColorTexture()!]) {
      const picture = decode(texture.getImage()!)
      expect([picture.width, picture.height, picture.channels]).toEqual([64, 64, 3])
    }
  })

  const bad: [string, Partial<FaceMesh>, new () => Error, RegExp][] = [
    [
      'too few colours',
      { diffuse: new Float32Array(3) },
      ShapeError,
      /mesh.diffuse is 3 numbers, expected \[576, 3\]/,
    ],
    ['an index without vertex', { triangles: new Int32Array([0, 1, 576]) }, ShapeError, /names vertex 576/],
    ['triangles that are none', { triangles: new Int32Array([0, 1]) }, ShapeError, /mesh.triangles is \[2\]/],
    ['no triangle', { triangles: new Int32Array(0) }, ShapeError, /at least one triangle/],
    ['NaN', { vertices: createDome().vertices.fill(Number.NaN, 7, 8) }, ValueError, /NaN at number 7/],
    ['a shininess of 0', { shininess: 0 }, ValueError, /shininess is 0/],
    ['vertices that are missing', { vertices: undefined }, ShapeError, /mesh.vertices is undefined/],
  ]
  it.each(bad)('throws: %s', async (_, part, type, message) => {
    const failure = encodeGlb({ ...createDome(), ...part }).catch((error: unknown) => error)
    expect(await failure).toBeInstanceOf(type)
    expect(((await failure) as Error).message).toMatch(message)
  })

  it('throws: an absurd size of the maps', async () => {
    await expect(encodeGlb(createDome(), { size: 0 })).rejects.toThrow(ValueError)
  })
})

describe('roughnessFromShininess', () => {
  it('value: known points', () => {
    expect(roughnessFromShininess(0)).toBe(1)
    expect(roughnessFromShininess(30)).toBeCloseTo(0.5, 10)
    expect(() => roughnessFromShininess(-1)).toThrow(ValueError)
  })
})
