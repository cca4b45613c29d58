import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { saveMorphableModel } from '@facekit/morphable'
import { createTinyFace } from '@facekit/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from './run-in-process.js'

let folder: string
let settings: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facekit-modules-'))
  const model = join(folder, 'tiny.safetensors')
  await saveMorphableModel(createTinyFace({ rows: 13, columns: 11 }), model)
  settings = join(folder, 'settings.json')
  const config = { model, inputSize: 32, batch: 2, iterations: 2, losses: { identity: 0 }, backend: 'wasm' }
  await writeFile(settings, JSON.stringify(config))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const own = (name: string) => fileURLToPath(new URL(`modules/${name}.js`, import.meta.url))

describe('facekit train with modules', () => {
  it("value: a loss, a backbone and photographs of one's own are trained with, and can be resumed", async () => {
    const out = join(folder, 'run')
    const flags = ['--loss', own('small-identity-loss'), '--backbone', own('plain-backbone')]
    const args = ['train', settings, ...flags, '--dataset', own('grey-photographs'), '-o', out]
    expect(await run([...args, '--json'])).toMatchObject({ code: 0 })
    const log = (await readFile(join(out, 'log.jsonl'), 'utf8')).trim().split('\n')
    expect(log.join()).toContain('smallIdentity')
    expect((await readFile(join(out, 'regressor.safetensors'))).toString('latin1')).toContain('plain_conv')
    const more = await run(['train', '--resume', '--iterations', '3', '-o', out, '--json'])
    expect(more).toMatchObject({ code: 0 })
    expect(JSON.parse(more.stdout)).toMatchObject({ iterations: 3, evaluation: { pictures: 2 } })
  }, 60_000)

  it('throws: no such module, no default export, and something else than was asked for', async () => {
    const refused = async (...flags: string[]) => {
      const { code, stderr } = await run([
        'train',
        settings,
        '--synthetic',
        ...flags,
        '-o',
        join(folder, 'x'),
      ])
      expect(code).toBe(1)
      return stderr
    }
    const empty = join(folder, 'empty.mjs')
    await writeFile(empty, 'export const loss = 1\n')
    expect(await refused('--loss', join(folder, 'nowhere.js'))).toMatch(
      /--loss: .*nowhere.js cannot be loaded/,
    )
    expect(await refused('--loss', empty)).toMatch(/--loss: .*empty.mjs has no default export/)
    expect(await refused('--loss', own('plain-backbone'))).toMatch(
      /expected an object with name, weight and compute/,
    )
    expect(await refused('--backbone', own('small-identity-loss'))).toMatch(
      /--backbone: .*small-identity-loss.js fails/,
    )
    expect(await refused('--backbone', 'resnet19')).toMatch(/backbone is "resnet19", expected resnet50/)
  }, 60_000)
})
