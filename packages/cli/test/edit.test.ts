import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parsePly } from '@facekit/mesh'
import { saveMorphableModel } from '@facekit/morphable'
import { encodeParameters, neutralParameters, readParameters, type ParametersJson } from '@facekit/parameters'
import { createTinyFace, useBackend } from '@facekit/testing'
import { decode } from 'fast-png'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from './run-in-process.js'

const tiny = createTinyFace()

let folder: string
let model: string
let face: ParametersJson & Record<string, unknown>
beforeAll(async () => {
  await useBackend('wasm')
  folder = await mkdtemp(join(tmpdir(), 'facekit-edit-'))
  model = join(folder, 'tiny.safetensors')
  await saveMorphableModel(tiny, model)
  const [neutral] = await readParameters(neutralParameters(tiny.layout))
  face = {
    ...encodeParameters(
      { ...neutral, expression: neutral.expression.map((_, k) => 0.1 + k / 7) },
      tiny.shape.expressionNames,
    ),
    landmarks: [[1, 2]],
    note: 'mine',
  }
  await writeFile(at('face.json'), `${JSON.stringify(face, null, 1)}\n`)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const at = (name: string) => join(folder, name)
const edit = (out: string, ...flags: string[]) => run(['edit', at('face.json'), '-o', at(out), ...flags])
const read = async (name: string) => JSON.parse(await readFile(at(name), 'utf8')) as typeof face

describe('facekit edit', () => {
  it('value: without a change the file is the same, byte by byte', async () => {
    expect(await edit('same.json')).toMatchObject({ code: 0, stderr: '' })
    expect(await readFile(at('same.json'), 'utf8')).toBe(await readFile(at('face.json'), 'utf8'))
  })

  it('value: what is changed is changed, the rest stays, and measurements go', async () => {
    const { code, stdout } = await edit(
      'other.json',
      '--neutral',
      '--set',
      'jawOpen=0.5',
      '--yaw',
      '30',
      '--json',
    )
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ file: at('other.json'), changed: ['expression', 'pose'] })
    const other = await read('other.json')
    expect(other.expression[face.expressionNames!.indexOf('jawOpen')]).toBe(0.5)
    expect(other.expression.filter((value) => value !== 0)).toHaveLength(1)
    expect(other.pose.rotation[1]).toBeCloseTo(Math.PI / 6, 6)
    expect(other.identity).toEqual(face.identity)
    expect(other.note).toBe('mine')
    expect('landmarks' in other).toBe(false)
  })

  it('value: a light by name, or that of another face; skin stays as shiny as it is', async () => {
    expect(await edit('left.json', '--light', 'left')).toMatchObject({ code: 0 })
    const { illumination, landmarks } = await read('left.json')
    expect(illumination.lightPosition[0]).toBeLessThan(-500)
    expect(illumination.shininess).toBe(face.illumination.shininess)
    expect(landmarks).toEqual(face.landmarks)
    expect(await edit('copy.json', '--light', at('left.json'))).toMatchObject({ code: 0 })
    expect((await read('copy.json')).illumination).toEqual(illumination)
  })

  it.each([
    ['--set', 'smirk=1', /no expression "smirk"/],
    ['--set', 'jawOpen', /no assignment/],
    ['--set', 'identity[99]=1', /identity has \d+ coefficients/],
    ['--light', 'moon', /neither a light nor a file/],
    ['--yaw', 'left', /degrees/],
  ])('throws: %s %s', async (flag, value, message) => {
    const { code, stderr } = await edit('bad.json', flag, value)
    expect(code).toBe(1)
    expect(stderr).toMatch(message)
    await expect(readFile(at('bad.json'))).rejects.toThrow('ENOENT')
  })
})

describe('facekit render, with changes', () => {
  it('value: a turned head under another light is what the edited file gives', async () => {
    const changes = ['--yaw', '25', '--light', 'right', '--set', 'jawOpen=0.3']
    const render = (source: string, out: string, ...flags: string[]) =>
      run([
        'render',
        at(source),
        '-o',
        at(out),
        '--size',
        '64',
        '--backend',
        'wasm',
        '--model',
        model,
        ...flags,
      ])
    expect(await edit('turned.json', ...changes)).toMatchObject({ code: 0 })
    expect(await render('turned.json', 'a.png')).toMatchObject({ code: 0, stderr: '' })
    expect(await render('face.json', 'b.png', ...changes)).toMatchObject({ code: 0, stderr: '' })
    expect(await render('face.json', 'c.png')).toMatchObject({ code: 0, stderr: '' })
    const [a, b, c] = await Promise.all(
      ['a.png', 'b.png', 'c.png'].map(async (file) => decode(await readFile(at(file))).data),
    )
    expect(b).toEqual(a)
    expect(c).not.toEqual(a)
  })
})

describe('facekit export', () => {
  it('value: OBJ and PLY with the expression and at rest; maps are read back', async () => {
    const source = ['export', at('face.json'), '--model', model, '--backend', 'wasm', '--size', '32']
    expect(await run([...source, '-o', at('out'), '--obj', '--ply'])).toMatchObject({ code: 0, stderr: '' })
    const vertices = async (file: string) =>
      (await readFile(at(`out/${file}`), 'utf8')).split('\n').filter((line) => line.startsWith('v '))
    const [posed, neutral] = [await vertices('face.obj'), await vertices('face-neutral.obj')]
    expect(posed).toHaveLength(tiny.vertexCount)
    expect(neutral).toHaveLength(tiny.vertexCount)
    expect(neutral).not.toEqual(posed)
    await expect(readFile(at('out/face.glb'))).rejects.toThrow('ENOENT')
    const { code, stderr } = await run([...source, '-o', at('out'), '--obj'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/face.obj exists; use --force/)
    if (!tiny.uv) return
    // The maps of one export are those of the next one.
    await run([...source, '-o', at('again'), '--obj', '--maps', at('out'), '--neutral'])
    for (const map of ['face-diffuse.png', 'face-specular.png', 'face.mtl'])
      expect(await readFile(at(`again/${map}`))).toEqual(await readFile(at(`out/${map}`)))
    expect(await vertices('face-neutral.obj')).toEqual(neutral)
  })

  it('value: USDZ has the expression', async () => {
    const args = ['export', at('face.json'), '--model', model, '--backend', 'wasm', '--size', '32']
    expect(await run([...args, '-o', at('usdz'), '--usdz', '--ply'])).toMatchObject({ code: 0, stderr: '' })
    const layer = (await readFile(at('usdz/face.usdz'))).toString('latin1')
    const [, points] = /point3f\[\] points = \[\((.*?)\)\]/.exec(layer)!
    const { positions } = parsePly(await readFile(at('usdz/face.ply')), 'test')
    const inMetres = points.split(/[),(]+/).map(Number)
    for (const [i, value] of inMetres.entries()) expect(1000 * value).toBeCloseTo(positions[i], 2)
    expect(inMetres).toHaveLength(3 * tiny.vertexCount)
  })

  it('throws: on maps that are not there', async () => {
    const { code, stderr } = await run([
      'export',
      at('face.json'),
      '-o',
      at('x'),
      '--model',
      model,
      '--maps',
      at('nowhere'),
    ])
    expect(code).toBe(1)
    expect(stderr).toMatch(/--maps: there is no face-diffuse.png/)
  })
})
