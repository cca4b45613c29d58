import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadBaseModel } from '@facekit/base-model'
import { encodeParameters, neutralParameters, readParameters } from '@facekit/parameters'
import { useBackend } from '@facekit/testing'
import { decode } from 'fast-png'
import { validateBytes } from 'gltf-validator'
import type { Mesh } from 'three'
import { OBJLoader } from 'three/addons/loaders/OBJLoader.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from './run-in-process.js'

let folder: string
beforeAll(async () => {
  await useBackend('wasm')
  folder = await mkdtemp(join(tmpdir(), 'facekit-head-'))
  const model = await loadBaseModel()
  const [face] = await readParameters(neutralParameters(model.layout))
  const known = { ...face, identity: face.identity.map((_, k) => (k % 3) - 1) }
  const json = { ...encodeParameters(known, model.shape.expressionNames), model: { name: model.name } }
  await writeFile(at('face.json'), JSON.stringify(json))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const at = (name: string) => join(folder, name)

describe('facekit export --head full', () => {
  it('value: a valid GLB with blend shapes and joints; in OBJ colours go on over the rim', async () => {
    const args = ['export', at('face.json'), '--backend', 'wasm', '--size', '256', '--glb', '--obj']
    expect(await run([...args, '-o', at('head'), '--head', 'full'])).toMatchObject({ code: 0, stderr: '' })
    const glb = await readFile(at('head/face.glb'))
    const { issues } = await validateBytes(glb)
    expect(issues.messages.filter(({ severity }) => severity < 2)).toEqual([])
    const json = JSON.parse(glb.toString('utf8', 20, 20 + glb.readUInt32LE(12)))
    expect(json.meshes[0].extras.targetNames).toHaveLength(52)
    expect(json.nodes.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(['head', 'jaw', 'leftEye', 'rightEye']),
    )
    const [count] = json.accessors.map((accessor: { count: number }) => accessor.count)
    const model = await loadBaseModel()
    expect(count).toBeGreaterThan(model.vertexCount + 2000)

    const obj = await readFile(at('head/face.obj'), 'utf8')
    const meshes = new OBJLoader().parse(obj).children as Mesh[]
    const triangles = meshes.reduce(
      (sum, { geometry }) => sum + geometry.getAttribute('position').count / 3,
      0,
    )
    expect(triangles).toBeGreaterThan((model.triangles.length + model.innerMouthTriangles.length) / 3 + 4000)
    // Vertices of the rim are there twice: with the face's places on the map, and with the head's.
    const rows = (key: string) =>
      obj
        .split('\n')
        .filter((line) => line.startsWith(`${key} `))
        .map((line) => line.split(' ').slice(1).map(Number))
    const [places, positions] = [rows('vt'), rows('v')]
    const map = decode(await readFile(at('head/face-diffuse.png')))
    const texel = ([u, v]: number[]) => {
      const start = 3 * (Math.floor((1 - v) * map.height) * map.width + Math.floor(u * map.width))
      return [...map.data.subarray(start, start + 3)]
    }
    const first = new Map(positions.slice(0, model.vertexCount).map((p, v) => [p.join(), v]))
    let copies = 0
    for (let v = model.vertexCount; v < positions.length; v++) {
      const original = first.get(positions[v].join())
      if (original === undefined) continue
      copies++
      const [here, there] = [texel(places[v]), texel(places[original])]
      for (let c = 0; c < 3; c++) expect(Math.abs(here[c] - there[c])).toBeLessThan(12)
    }
    // 144 along the rim, 80 along the lips.
    expect(copies).toBe(224)
  }, 60_000)

  it('throws: a model that has no such head', async () => {
    const { code, stderr } = await run(['export', at('face.json'), '-o', at('x'), '--head', 'half'])
    expect(code).not.toBe(0)
    expect(stderr).toMatch(/--head/)
  })
})
