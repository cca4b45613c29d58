import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadBaseModel } from '@facekit/base-model'
import {
  loadMorphableModel,
  saveMorphableModel,
  validateModel,
  type MorphableModel,
} from '@facekit/morphable'
import { createTinyFace, moveLandmarks, tinyIct, writeStatismo, type StatismoInput } from '@facekit/testing'
import { decode, type DecodedPng } from 'fast-png'
import { validateBytes } from 'gltf-validator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from './run-in-process.js'

let face: MorphableModel
let folder: string
let statismo: string
let ict: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facekit-model-'))
  const { shape, landmarks } = await loadBaseModel()
  const places = Array.from(landmarks, (vertex) => [0, 1, 2].map((c) => shape.mean.get(vertex, c)))
  face = moveLandmarks(createTinyFace({ rows: 61, columns: 51 }), places.flat())
  statismo = join(folder, 'face.h5')
  await writeFile(statismo, await writeStatismo(shapeOf(face)))
  ict = join(folder, 'ict')
  await writeIct(ict, face)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The shape of a model as the content of a Statismo file. */
function shapeOf({ shape, triangles, layout }: MorphableModel): StatismoInput {
  const [mean, basis] = [shape.mean, shape.identity].map(({ data }) => Float32Array.from(data))
  return { points: mean, triangles, parts: { '/shape': { mean, basis, modes: layout.identity } } }
}

/** A folder in ICT-FaceKit's layout. */
async function writeIct(to: string, model: MorphableModel): Promise<void> {
  const { files } = tinyIct(model)
  await mkdir(join(to, 'FaceXModel'), { recursive: true })
  for (const name of ['generic_neutral_mesh.obj', 'identity000.obj', 'jawOpen.obj', 'vertex_indices.json'])
    await writeFile(join(to, 'FaceXModel', name), files(name) ?? '')
}

/** Red of the first cell of a sheet of so many rows. */
function firstCell(sheet: DecodedPng, rows: number, size: number): number[] {
  // Cells end 4 pixels above the end of their row, and begin 4 pixels from the left.
  const top = sheet.height / rows - 4 - size
  return Array.from({ length: size * size }, (_, i) => {
    const [x, y] = [4 + (i % size), top + Math.floor(i / size)]
    return sheet.data[(y * sheet.width + x) * sheet.channels]
  })
}

describe('facekit model', () => {
  it('smoke: help names the commands and their flags', async () => {
    const { code, stdout } = await run(['model', '--help'])
    expect(code).toBe(0)
    for (const name of ['info', 'import', 'convert', 'morph', 'sample', 'modes'])
      expect(stdout).toContain(`  ${name} `)
    const flags = (await run(['model', 'import', '--help'])).stdout
    for (const flag of [
      '--out',
      '--albedo',
      '--landmarks',
      '--crop',
      '--identity-modes',
      '--precision',
      '--json',
    ]) {
      expect(flags).toContain(flag)
    }
  })

  it('value: info for people and for machines', async () => {
    const { code, stdout } = await run(['model', 'info', 'base'])
    expect(code).toBe(0)
    for (const part of ['licence', 'mm (', 'vertices', 'jawOpen', 'variance of the first'])
      expect(stdout).toContain(part)
    const info = JSON.parse((await run(['model', 'info', 'base', '--json'])).stdout) as {
      layout: { identity: number }
      statistics: { identity: { cumulative: number[] } }
    }
    expect(info.statistics.identity.cumulative).toHaveLength(info.layout.identity)
    expect(info.statistics.identity.cumulative.at(-1)).toBeCloseTo(1, 6)
  })

  it('value: info of an HDF5 file is its tree', async () => {
    const { code, stdout } = await run(['model', 'info', statismo])
    expect(code).toBe(0)
    expect(stdout).toContain(`pcaBasis  float32 [${face.vertexCount * 3}, 6]`)
    expect(stdout).toContain('facekit model import reads it')
    expect(stdout).toContain('@datasetType = POLYGON_MESH')
  })

  it('value: a Statismo file is imported, and converted to every format', async () => {
    const out = join(folder, 'statismo.safetensors')
    const imported = await run([
      'model',
      'import',
      statismo,
      '-o',
      out,
      '--crop',
      'none',
      '--identity-modes',
      '4',
      '--json',
    ])
    expect(imported).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(imported.stdout)).toMatchObject({
      vertexCount: face.vertexCount,
      layout: { identity: 4, expression: 0 },
    })
    const model = await loadMorphableModel(out)
    validateModel(model)
    const again = await run(['model', 'import', statismo, '-o', out])
    expect([again.code, again.stderr.includes('exists; use --force')]).toEqual([1, true])

    const glb = join(folder, 'statismo.glb')
    expect((await run(['model', 'morph', out, '-o', glb, '--identity-modes', '3'])).code).toBe(0)
    const bytes = new Uint8Array(await readFile(glb))
    const { issues } = await validateBytes(bytes)
    expect([issues.numErrors, issues.numWarnings]).toEqual([0, 0])
    expect(new TextDecoder().decode(bytes)).toContain(
      '"targetNames":["identity000","identity001","identity002"]',
    )
    const obj = join(folder, 'statismo.obj')
    expect((await run(['model', 'convert', out, '-o', obj])).code).toBe(0)
    expect((await readFile(obj, 'utf8')).match(/^v /gm)).toHaveLength(face.vertexCount)
  })

  it('value: ICT-FaceKit gets the base model’s skin', async () => {
    const out = join(folder, 'ict.safetensors')
    const { code, stderr } = await run([
      'model',
      'import',
      ict,
      '-o',
      out,
      '--identity-modes',
      '1',
      '--precision',
      'float16',
    ])
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('facekit:')])
    const model = await loadMorphableModel(out)
    expect(model.layout).toMatchObject({ identity: 1, expression: 1 })
    expect(model.layout.albedo).toBeGreaterThan(20)
    expect(model.license).toBe('MIT')
    const obj = join(folder, 'ict.obj')
    expect((await run(['model', 'convert', out, '-o', obj])).code).toBe(0)
    // Quads, not triangles.
    expect((await readFile(obj, 'utf8')).match(/^f( \S+){4}$/gm)!.length).toBeGreaterThan(5000)
  })

  it('value: sheets of samples and modes', async () => {
    const out = join(folder, 'samples')
    const drawn = await run([
      'model',
      'sample',
      'base',
      '-o',
      out,
      '--count',
      '2',
      '--size',
      '64',
      '--backend',
      'wasm',
      '--json',
    ])
    expect(drawn).toMatchObject({ code: 0, stderr: '' })
    expect((await readdir(out)).toSorted()).toEqual(['face-001.glb', 'face-002.glb', 'sheet.png'])
    const sheet = decode(await readFile(join(out, 'sheet.png')))
    expect(sheet.width).toBeGreaterThan(128)
    // Two faces, not the background only.
    expect(new Set(sheet.data).size).toBeGreaterThan(50)
    expect((await run(['model', 'sample', 'base', '-o', out, '--count', '1'])).stderr).toContain(
      'use --force',
    )
    await writeFile(join(out, 'mine.txt'), 'mine')
    const refused = await run(['model', 'sample', 'base', '-o', out, '--force'])
    expect([refused.code, refused.stderr.includes('mine.txt')]).toEqual([1, true])

    const modes = join(folder, 'modes')
    const argv = ['model', 'modes', 'base', '-o', modes, '--count', '1', '--size', '64', '--backend', 'wasm']
    expect((await run(argv)).code).toBe(0)
    expect((await readdir(modes)).toSorted()).toEqual(['albedo.png', 'expression.png', 'identity.png'])
    // All expressions, six in a row, and no face touches the edge of its cell: the jaw, open, is in the picture.
    await run([...argv.filter((word) => word !== '--count' && word !== '1'), '--force'])
    const expressions = decode(await readFile(join(modes, 'expression.png')))
    const identities = decode(await readFile(join(modes, 'identity.png')))
    expect(expressions.height / identities.height).toBe(Math.ceil(52 / 6) / Math.ceil(20 / 8))
    const jaw = firstCell(expressions, 9, 64)
    const [background] = jaw
    expect(jaw.filter((value) => Math.abs(value - background) > 12).length).toBeGreaterThan(64 * 64 * 0.3)
    for (let column = 0; column < 64; column++)
      expect(Math.abs(jaw[63 * 64 + column] - background)).toBeLessThan(6)
  })

  it('value: a file of facekit is imported with fewer modes', async () => {
    const own = join(folder, 'base.safetensors')
    await saveMorphableModel(await loadBaseModel(), own)
    const out = join(folder, 'fewer.safetensors')
    const flags = ['--identity-modes', '5', '--expression-modes', '3', '--albedo-modes', '2', '--json']
    const { code, stdout } = await run(['model', 'import', own, '-o', out, ...flags])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      vertexCount: 7849,
      layout: { identity: 5, expression: 3, albedo: 2 },
    })
  })

  it('throws: one line, exit code 1, nothing half written', async () => {
    const wrong = join(folder, 'wrong.h5')
    await writeFile(wrong, Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a, 9, 9, 9, 9))
    const text = join(folder, 'text.txt')
    await writeFile(text, 'hello, I am no model')
    const out = join(folder, 'never.safetensors')
    const base = join(folder, 'own.safetensors')
    await saveMorphableModel(await loadBaseModel(), base)
    const cases: [string[], RegExp][] = [
      [['import', wrong, '-o', out], /wrong.h5.*cannot be read as HDF5/],
      [['info', wrong], /wrong.h5.*cannot be read as HDF5/],
      [['import', text, '-o', out], /text.txt: is of no format that is known, expected HDF5/],
      [['import', join(folder, 'nothing'), '-o', out], /neither a model nor a file/],
      [['import', text, '-o', join(folder, 'never.glb')], /no .safetensors file/],
      [['convert', 'base', '-o', join(folder, 'never.stl')], /ends in none of/],
      [['convert', 'base', '-o', join(folder, 'no', 'never.obj')], /there is no folder/],
      [['sample', text, '-o', join(folder, 'never')], /no format that is known/],
      [['import', base, '-o', out, '--landmarks', text], /--landmarks: files of facekit .* bring their own/],
      [['import', base, '-o', out, '--split-at', '3'], /--split-at: only arrays/],
      [['import', base, '-o', out, '--albedo', base], /--albedo: only a Basel file/],
      [['import', base, '-o', out, '--expressions', base], /--expressions: only a Basel file of 2009/],
      [['import', text], /required option '-o, --out <file>'/],
      [['frobnicate'], /unknown command 'frobnicate'/],
    ]
    for (const [argv, message] of cases) {
      const { code, stderr } = await run(['model', ...argv])
      const errors = stderr.split('\n').filter((line) => line.startsWith('facekit: '))
      expect(errors).toHaveLength(1)
      expect(errors[0]).toMatch(message)
      expect(code).toBe(1)
    }
    expect((await readdir(folder)).filter((name) => name.includes('never') || name.endsWith('.tmp'))).toEqual(
      [],
    )
  })
})
