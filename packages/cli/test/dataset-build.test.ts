import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDataset, type FaceSample } from '@facekit/dataset'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from './run-in-process.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facekit-dataset-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const small = ['--size', '32', '--count', '5', '--per-shard', '2', '--backend', 'wasm']
const build = (out: string, ...flags: string[]) =>
  run(['dataset', 'build', '--synthetic', join(folder, out), ...small, ...flags])

/** What is in a folder, by name. */
async function digests(out: string): Promise<Record<string, string>> {
  const names = (await readdir(join(folder, out))).sort()
  const entries = names.map(async (name) => {
    const bytes = await readFile(join(folder, out, name))
    return [name, createHash('sha256').update(bytes).digest('hex')] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

describe('facekit dataset build', () => {
  it('smoke: shards that read back, with masks, landmarks, visibility, parameters, classes and normals', async () => {
    const { code, stdout, stderr } = await build('first', '--seed', '3')
    expect([code, stderr.replace(/.*rendering 5 faces.*\n/, '')]).toEqual([0, ''])
    expect(stdout).toMatch(/5 faces in 3 shards/)
    const samples: FaceSample[] = []
    for await (const sample of (await openDataset(join(folder, 'first'))).samples()) samples.push(sample)
    expect(samples.map(({ key }) => key)).toEqual([0, 1, 2, 3, 4].map((i) => `synthetic-0000000${i}`))
    const [{ image, annotation, parameters, identity, files }] = samples
    expect(image.shape).toEqual([32, 32, 3])
    expect(annotation.faceRegion.shape).toEqual([32, 32])
    expect(annotation.landmarkVisibility).toHaveLength(68)
    expect(parameters?.expression).toHaveLength(52)
    expect(identity).toBe('person-0')
    expect(Object.keys(files ?? {}).sort()).toEqual(['labels.png', 'normals.png'])
  })

  it('value: the same seed gives the same bytes, after an interruption too', async () => {
    await build('second', '--seed', '3')
    const whole = await digests('second')
    expect(whole).toEqual(await digests('first'))
    await rm(join(folder, 'second', 'faces-000001.index.json'))
    const { stdout } = await build('second', '--seed', '3', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ pictures: 5, shards: 3, kept: 3 })
    expect(await digests('second')).toEqual(whole)
    await build('third', '--seed', '4')
    const other = await digests('third')
    expect(other['faces-000000.tar']).not.toBe(whole['faces-000000.tar'])
  })

  it('value: an aborted run keeps whole shards and goes on', async () => {
    const signal = AbortSignal.abort()
    const result = await run(
      ['dataset', 'build', '--synthetic', join(folder, 'aborted'), ...small, '--seed', '3'],
      {
        signal,
      },
    )
    expect([result.code, result.stderr]).toEqual([130, 'facekit: interrupted\n'])
    expect((await build('aborted', '--seed', '3')).code).toBe(0)
    expect(await digests('aborted')).toEqual(await digests('first'))
  })

  it('value: a shard that is gone, cut or overwritten is made again, whatever its index says', async () => {
    const out = 'damaged'
    await build(out, '--seed', '3')
    const whole = await digests(out)
    await rm(join(folder, out, 'faces-000000.tar'))
    await truncate(join(folder, out, 'faces-000001.tar'), 1024)
    const last = join(folder, out, 'faces-000002.tar')
    await writeFile(last, new Uint8Array((await readFile(last)).length))
    await writeFile(join(folder, out, 'faces-000000.tar.12.abc123.tmp'), 'half')
    const { code, stderr, stdout } = await build(out, '--seed', '3')
    expect([code, stdout]).toEqual([0, expect.stringContaining('5 faces in 3 shards\n')])
    expect(stderr.match(/it is made again/g)).toHaveLength(3)
    expect(await digests(out)).toEqual(whole)
  })

  it('throws: a folder that is removed meanwhile, or that another build works in', async () => {
    const out = join(folder, 'removed')
    const building = run(['dataset', 'build', '--synthetic', out, ...small, '--seed', '3'])
    while (!(await stat(join(out, 'faces-000000.index.json')).catch(() => undefined)))
      await new Promise((resolve) => setTimeout(resolve, 2))
    const second = await build('removed', '--seed', '3')
    expect([second.code, second.stderr]).toEqual([
      1,
      expect.stringMatching(/makes a data set in the folder already/),
    ])
    await rm(out, { recursive: true, maxRetries: 10, retryDelay: 1 })
    const { code, stderr } = await building
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(
        /removed: was (changed while it was written|removed or replaced)|removed.*: no such folder/,
      ),
    ])
    // And the rerun makes it whole.
    expect((await build('removed', '--seed', '3', '--force')).code).toBe(0)
    expect(await digests('removed')).toEqual(await digests('first'))
  })

  it('value: a configuration says what is drawn, and flags win', async () => {
    const config = join(folder, 'config.json')
    const faces = { fixed: { expression: { jawOpen: 1 }, rotation: [0, 30, 0] }, framing: { scale: [1, 1] } }
    await writeFile(config, JSON.stringify({ count: 400, normals: false, faces }))
    expect((await build('fixed', '--count', '2', '--config', config)).code).toBe(0)
    const dataset = await openDataset(join(folder, 'fixed'))
    const samples: FaceSample[] = []
    for await (const sample of dataset.samples()) samples.push(sample)
    expect(samples).toHaveLength(2)
    for (const { parameters, files } of samples) {
      expect(parameters?.expression.filter((value) => value !== 0)).toEqual(Float32Array.of(1))
      expect(parameters?.pose.rotation[1]).toBeCloseTo(Math.PI / 6, 5)
      expect(Object.keys(files ?? {})).toEqual(['labels.png'])
    }
    const description = JSON.parse(await readFile(join(folder, 'fixed', 'dataset.json'), 'utf8')) as object
    expect(description).toMatchObject({ format: 'facekit-synthetic', count: 2, faces: { size: 32 } })
  })

  const mistakes: [string, unknown, RegExp][] = [
    ['an unknown field', { colour: 1 }, /bad\.json: has an unknown field "colour", expected count/],
    ['a wrong type', { count: 'many' }, /bad\.json: count is "many", expected a whole number/],
    ['a field out of range', { faces: { occluders: { hat: 2 } } }, /bad\.json: faces: occluders\.hat is 2/],
    [
      'an unknown field deep inside',
      { faces: { camera: { zoom: 2 } } },
      /faces: camera has an unknown "zoom"/,
    ],
    [
      'an unknown expression',
      { faces: { fixed: { expression: { grin: 1 } } } },
      /fixed\.expression has "grin"/,
    ],
    ['a list', [], /bad\.json: is \[\], expected an object/],
  ]
  it.each(mistakes)('throws: %s', async (_name, value, message) => {
    const config = join(folder, 'bad.json')
    await writeFile(config, JSON.stringify(value))
    const result = await run(['dataset', 'build', '--synthetic', join(folder, 'bad'), '--config', config])
    expect(result.code).toBe(1)
    expect(result.stderr).toMatch(message)
    expect(result.stderr.trim().split('\n')).toHaveLength(1)
  })

  it('throws: no JSON, no file, a folder of another data set', async () => {
    const config = join(folder, 'bad.json')
    await writeFile(config, '{')
    const broken = await build('bad', '--config', config)
    expect([broken.code, broken.stderr]).toEqual([1, expect.stringMatching(/bad\.json: is no JSON/)])
    const missing = await build('bad', '--config', join(folder, 'nothing.json'))
    expect(missing.stderr).toMatch(/nothing\.json: the settings cannot be read/)
    const other = await build('first', '--seed', '99')
    expect([other.code, other.stderr]).toEqual([
      1,
      expect.stringMatching(/holds a data set of another configuration/),
    ])
  })
})
