import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { saveMorphableModel } from '@facekit/morphable'
import { createTinyFace } from '@facekit/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from './run-in-process.js'

let folder: string
let settings: Record<string, unknown>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facekit-ablate-'))
  const model = join(folder, 'tiny.safetensors')
  await saveMorphableModel(createTinyFace({ rows: 13, columns: 11 }), model)
  const photographs = join(folder, 'photographs')
  const made = await run([
    'dataset',
    'build',
    photographs,
    '--synthetic',
    '--count',
    '10',
    '--size',
    '32',
    '--backend',
    'wasm',
  ])
  if (made.code !== 0) throw new Error(made.stderr)
  settings = {
    train: {
      model,
      dataset: photographs,
      backbone: 'mobile',
      inputSize: 32,
      batch: 2,
      iterations: 2,
      heldOut: 0.3,
      evaluateEvery: 2,
      clipNorm: 5,
      backend: 'wasm',
      losses: { identity: 0 },
    },
    ablate: ['landmark'],
  }
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const write = async (name: string, value: unknown) => {
  const path = join(folder, name)
  await writeFile(path, JSON.stringify(value))
  return path
}

describe('facekit ablate', () => {
  it('smoke: a table of trainings, once', async () => {
    const config = await write('settings.json', settings)
    const out = join(folder, 'out')
    const { code, stdout, stderr } = await run(['ablate', config, '-o', out])
    expect(stderr).toMatch(/training all losses\n.*training without landmark/s)
    expect(code).toBe(0)
    expect(stdout).toMatch(/\| all losses \| 0\.\d+ \| [\d.]+ \| 2 \|/)
    expect(stdout).toMatch(/\| without landmark \| 0\.\d+ \|/)
    for (const file of [
      'ablation.json',
      'ablation.md',
      'all-losses/regressor.safetensors',
      'without-landmark/report.html',
    ])
      expect(existsSync(join(out, file))).toBe(true)
    const trained = (await stat(join(out, 'all-losses/regressor.safetensors'))).mtimeMs
    const again = await run(['ablate', config, '-o', out, '--json'])
    expect(again.code).toBe(0)
    expect((await stat(join(out, 'all-losses/regressor.safetensors'))).mtimeMs).toBe(trained)
    const report = JSON.parse(again.stdout) as { runs: { name: string; weights: string }[] }
    expect(report.runs.map(({ name }) => name)).toEqual(['all losses', 'without landmark'])
    const weights = await Promise.all(report.runs.map((each) => readFile(each.weights)))
    expect(weights[0].equals(weights[1])).toBe(false)
    const other = await write('other.json', { ...settings, ablate: ['uniform'] })
    expect((await run(['ablate', other, '-o', out])).stderr).toMatch(/other settings/)
  })

  it('throws: settings that are wrong, in one line', async () => {
    const fails = async (value: unknown) => {
      const { code, stderr } = await run([
        'ablate',
        await write('wrong.json', value),
        '-o',
        join(folder, 'none'),
      ])
      expect(code).toBe(1)
      expect(stderr.trim().split('\n')).toHaveLength(1)
      return stderr
    }
    expect(await fails([])).toMatch(/expected a JSON object/)
    expect(await fails({ ...settings, ablate: ['colour'] })).toMatch(
      /"ablate" has "colour", expected some of identity/,
    )
    expect(await fails({ ...settings, more: 1 })).toMatch(/"more" is unknown/)
    expect(await fails({ train: { synthetic: true } })).toMatch(/no dataset/)
    expect(await fails({ train: { rate: 1 } })).toMatch(/wrong\.json, "train": "rate" is unknown/)
    expect(await fails({ ...settings, evaluate: [{ path: 'x', dataset: 'y' }] })).toMatch(/"evaluate" has/)
    expect(await fails({ ...settings, evaluate: [{ path: join(folder, 'nowhere') }] })).toMatch(
      /is no folder/,
    )
    expect(existsSync(join(folder, 'none'))).toBe(false)
  })
})
