import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadBaseModel } from '@facekit/base-model'
import { saveMorphableModel } from '@facekit/morphable'
import { encodeParameters, neutralParameters, readParameters, type ParametersJson } from '@facekit/parameters'
import { createTinyFace, useBackend } from '@facekit/testing'
import { decode } from 'fast-png'
import { validateBytes } from 'gltf-validator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from './run-in-process.js'

const tiny = createTinyFace()

let folder: string
let model: string
let neutral: ParametersJson
beforeAll(async () => {
  await useBackend('wasm')
  folder = await mkdtemp(join(tmpdir(), 'facekit-render-'))
  model = join(folder, 'tiny.safetensors')
  await saveMorphableModel(tiny, model)
  const [face] = await readParameters(neutralParameters(tiny.layout))
  neutral = encodeParameters(face, tiny.shape.expressionNames)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const at = (name: string) => join(folder, name)

/** Writes a parameters.json. */
async function save(name: string, content: unknown): Promise<string> {
  await writeFile(at(name), typeof content === 'string' ? content : JSON.stringify(content))
  return at(name)
}

const render = (source: string, out: string, ...flags: string[]) =>
  run(['render', source, '-o', at(out), '--size', '64', '--backend', 'wasm', ...flags])

/** Pixels of a rendering with changed parameters. */
async function pixels(name: string, change: Partial<ParametersJson>): Promise<Uint8Array> {
  const source = await save(`${name}.json`, { ...neutral, ...change })
  expect(await render(source, `${name}.png`, '--model', model)).toMatchObject({ code: 0, stderr: '' })
  return decode(await readFile(at(`${name}.png`))).data as Uint8Array
}

describe('facekit render', () => {
  it('smoke: help names the flags', async () => {
    const { code, stdout } = await run(['render', '--help'])
    expect(code).toBe(0)
    for (const flag of ['--out', '--model', '--size', '--backend', '--force', '--json'])
      expect(stdout).toContain(flag)
  })

  it('value: a picture of the size asked for, and what --json says', async () => {
    const source = await save('plain.json', { ...neutral, model: { name: tiny.name } })
    const { code, stdout } = await render(source, 'plain.png', '--model', model, '--json')
    expect(code).toBe(0)
    const report = JSON.parse(stdout) as Record<string, unknown>
    expect(report).toMatchObject({ file: at('plain.png'), model: tiny.name, backend: 'wasm' })
    expect(Object.keys(report.seconds as object)).toEqual(['model', 'engine', 'render'])
    const { width, height, data } = decode(await readFile(at('plain.png')))
    expect([width, height]).toEqual([64, 64])
    expect(Math.max(...data.subarray(3 * 64 * 32, 3 * 64 * 33))).toBeGreaterThan(60)
    expect([...data.subarray(0, 3)]).toEqual([0, 0, 0])
  })

  it('value: pose, light, expressions and camera of the file count', async () => {
    const plain = await pixels('a', {})
    const mean = (values: Uint8Array) => values.reduce((sum, value) => sum + value, 0) / values.length
    const dark = { ...neutral.illumination, sphericalHarmonics: Array.from({ length: 9 }, () => [0, 0, 0]) }
    expect(mean(await pixels('dark', { illumination: dark }))).toBeLessThan(0.6 * mean(plain))
    expect(mean(await pixels('small', { pose: { ...neutral.pose, scale: 0.5 } }))).toBeLessThan(
      0.4 * mean(plain),
    )
    const open = neutral.expression.map((_, k) => (k === 0 ? 2 : 0))
    const opened = await pixels('open', { expression: open })
    expect(opened).not.toEqual(plain)
    // The same expression in a file that names fewer of them: numbers go by their names.
    const named = { expression: [0, 2], expressionNames: ['other', 'jawOpen'] }
    expect(await pixels('named', named)).toEqual(opened)
    const far = await pixels('far', { camera: { distance: 2000 } } as Partial<ParametersJson>)
    expect(mean(far)).toBeLessThan(0.4 * mean(plain))
  })

  it.each(['glb', 'obj', 'ply'])('value: a mesh as .%s', async (ending) => {
    const source = await save(`mesh-${ending}.json`, neutral)
    const out = `mesh.${ending}`
    expect((await render(source, out, '--model', model)).code).toBe(0)
    const bytes = new Uint8Array(await readFile(at(out)))
    const start = new TextDecoder().decode(bytes.subarray(0, 200))
    expect(start).toMatch({ glb: /^glTF/, obj: /mtllib mesh\.mtl/, ply: /^ply\n/ }[ending]!)
    // The mouth has vertices of its own colour.
    const vertices = ending === 'ply' ? Number(/element vertex (\d+)/.exec(start)?.[1]) : Infinity
    expect(vertices).toBeGreaterThanOrEqual(tiny.vertexCount)
    const issues = ending === 'glb' ? (await validateBytes(bytes)).issues.numErrors : 0
    expect(issues).toBe(0)
  })

  it('value: without --model the shipped model that the file names', async () => {
    const synthetic = await loadBaseModel({ variant: 'synthetic' })
    for (const shipped of [await loadBaseModel(), synthetic]) {
      const [face] = await readParameters(neutralParameters(shipped.layout))
      const source = await save(`${shipped.name}.json`, {
        ...encodeParameters(face, shipped.shape.expressionNames),
        model: { name: shipped.name },
      })
      const { code, stdout } = await render(source, `${shipped.name}.png`)
      expect([code, stdout.includes(`model "${shipped.name}"`)]).toEqual([0, true])
    }
  })

  it('throws: one line, nothing written', async () => {
    const good = await save('good.json', neutral)
    await writeFile(at('there.png'), '')
    const { pose: _, ...noPose } = neutral
    const cases: [source: string, out: string, message: RegExp][] = [
      [at('missing.json'), 'x.png', /missing\.json: no such file/],
      [folder, 'x.png', /is a folder, expected a file/],
      [await save('text.json', 'hello'), 'x.png', /text\.json: is not JSON; expected a parameters\.json/],
      [await save('list.json', []), 'x.png', /list\.json: holds no object/],
      [await save('no-pose.json', noPose), 'x.png', /no-pose\.json: pose\.rotation is missing/],
      [good, 'x.gif', /x\.gif ends with no known format, expected \.png, \.glb, \.obj, \.ply/],
      [good, 'there.png', /there\.png exists; use --force/],
      [good, 'no/x.png', /there is no folder/],
      [
        await save('other.json', { ...neutral, model: { name: 'basel' } }),
        'x.png',
        /coefficients of model "basel", but the model is "tiny-face"; pass the right one with --model/,
      ],
      [
        await save('long.json', { ...neutral, identity: [1, 2, 3, 4, 5, 6, 7] }),
        'x.png',
        /long\.json: identity is \[1, 7\], expected \[B, 6\]; the model is "tiny-face"; pass the right one/,
      ],
      [
        await save('smirk.json', { ...neutral, expression: [1], expressionNames: ['smirk'] }),
        'x.png',
        /smirk\.json: expressionNames has "smirk", model "tiny-face" has jawOpen/,
      ],
      [
        await save('blind.json', { ...neutral, camera: { fieldOfView: 7 } }),
        'x.png',
        /camera\.fieldOfView is 7/,
      ],
    ]
    for (const [source, out, message] of cases) {
      const { code, stdout, stderr } = await render(source, out, '--model', model)
      expect([code, stdout]).toEqual([1, ''])
      expect(stderr).toMatch(message)
      expect(stderr.trim().split('\n')).toHaveLength(1)
    }
    expect((await readdir(folder)).filter((name) => name.startsWith('x.'))).toEqual([])
    expect((await render(good, 'there.png', '--model', model, '--force')).code).toBe(0)
  })
})
