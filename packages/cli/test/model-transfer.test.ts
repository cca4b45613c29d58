import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadBaseModel } from '@facekit/base-model'
import { applySimilarity3d } from '@facekit/mesh'
import { encodeMorphableModel, evaluateShape } from '@facekit/morphable'
import { encodeParameters, neutralParameters, readParameters } from '@facekit/parameters'
import { useBackend } from '@facekit/testing'
import { tensor2d, tidy } from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from './run-in-process.js'

let folder: string
beforeAll(async () => {
  await useBackend('cpu')
  folder = await mkdtemp(join(tmpdir(), 'facekit-transfer-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const at = (name: string) => join(folder, name)

describe('facekit model transfer', () => {
  it('value: in another base model the surface is nearly the same, and lies where it lay', async () => {
    const [scans, learned] = await Promise.all([loadBaseModel(), loadBaseModel({ variant: 'learned' })])
    const [neutral] = await readParameters(neutralParameters(scans.layout))
    const face = {
      ...neutral,
      identity: neutral.identity.map((_, k) => (k < 12 ? ((k * 7) % 5) / 2 - 1 : 0)),
    }
    face.expression[scans.shape.expressionNames!.indexOf('jawOpen')] = 0.4
    face.pose = {
      rotation: Float32Array.of(0.1, -0.4, 0.05),
      translation: Float32Array.of(3, -2, 5),
      scale: Float32Array.of(1.1),
    }
    const json = {
      ...encodeParameters(face, scans.shape.expressionNames),
      model: { name: scans.name },
      note: 'mine',
    }
    await writeFile(at('face.json'), JSON.stringify(json))
    const there = await run([
      'model',
      'transfer',
      at('face.json'),
      '--to',
      'learned',
      '-o',
      at('there.json'),
      '--json',
    ])
    expect(there).toMatchObject({ code: 0 })
    const report = JSON.parse(there.stdout) as { from: string; to: string; shapeError: number }
    expect(report).toMatchObject({ from: 'facekit-scans', to: 'facekit-learned' })
    expect(report.shapeError).toBeLessThan(1.5)
    const read = async (name: string) => JSON.parse(await readFile(at(name), 'utf8')) as typeof json
    const moved = await read('there.json')
    expect(moved).toMatchObject({ model: { name: 'facekit-learned' }, note: 'mine' })
    const placed = (model: typeof scans, { identity, expression, pose }: typeof json) => {
      const vertices = tidy(() =>
        evaluateShape(model, {
          identity: tensor2d([[...identity]]),
          expression: tensor2d([[...expression]]),
        }).dataSync(),
      )
      const shifted = Float64Array.from(vertices, (value, i) => value + pose.translation[i % 3])
      const rotation = rotationOf(pose.rotation as unknown as number[])
      return applySimilarity3d({ scale: Number(pose.scale), rotation, translation: [0, 0, 0] }, shifted)
    }
    // The variants have the same vertices: where each has gone in the world.
    const [before, after] = [placed(scans, json), placed(learned, moved)]
    const off = Array.from({ length: scans.vertexCount }, (_, v) =>
      Math.hypot(...[0, 1, 2].map((c) => before[3 * v + c] - after[3 * v + c])),
    )
    expect(Math.sqrt(off.reduce((sum, d) => sum + d * d, 0) / off.length)).toBeLessThan(3)
  }, 60_000)

  it('throws: the model that the file has already', async () => {
    const model = await loadBaseModel()
    await writeFile(at('copy.safetensors'), encodeMorphableModel(model, { precision: 'float16' }))
    const { code, stderr } = await run([
      'model',
      'transfer',
      at('face.json'),
      '--to',
      at('copy.safetensors'),
      '-o',
      at('x.json'),
    ])
    expect(code).toBe(1)
    expect(stderr).toMatch(/is the model of .* already/)
  })
})

/** Rz Ry Rx, row by row. */
function rotationOf([pitch, yaw, roll]: readonly number[]): number[] {
  const [cx, sx, cy, sy, cz, sz] = [pitch, yaw, roll].flatMap((a) => [Math.cos(a), Math.sin(a)])
  return [
    cz * cy,
    cz * sy * sx - sz * cx,
    cz * sy * cx + sz * sx,
    sz * cy,
    sz * sy * sx + cz * cx,
    sz * sy * cx - cz * sx,
    -sy,
    cy * sx,
    cy * cx,
  ]
}
