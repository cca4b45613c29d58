import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { saveMorphableModel } from '@facekit/morphable'
import { loadRegressor } from '@facekit/regressor'
import { createTinyFace } from '@facekit/testing'
import { readTrainingLog } from '@facekit/trainer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from './run-in-process.js'

const weights = fileURLToPath(new URL('../../regressor-weights', import.meta.url))

let folder: string
let model: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facekit-recipe-'))
  model = join(folder, 'tiny.safetensors')
  await saveMorphableModel(createTinyFace({ rows: 13, columns: 11 }), model)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** A recipe of the shipped weights with other settings, as a file. */
async function recipe(name: string, changes: object): Promise<string> {
  const settings = JSON.parse(await readFile(join(weights, `recipes/${name}.json`), 'utf8')) as object
  const small = {
    model,
    inputSize: 32,
    batch: 2,
    iterations: 2,
    evaluateEvery: 2,
    logEvery: 1,
    backend: 'wasm',
  }
  const path = join(folder, `${name}.json`)
  await writeFile(path, JSON.stringify({ ...settings, ...small, ...changes }))
  return path
}

describe('the recipe of the shipped regressor', () => {
  it('smoke: trains on rendered faces, then on photographs, as facekit train runs it', async () => {
    const first = join(folder, 'rendered-faces')
    const rendered = await run(['train', await recipe('rendered-faces', {}), '-o', first, '--json'])
    expect(rendered.stderr).toBe('')
    expect(rendered.code).toBe(0)

    const labelled = join(folder, 'labelled')
    const build = ['dataset', 'build', labelled, '--synthetic', '--model', model]
    expect((await run([...build, '--count', '4', '--size', '48', '--backend', 'wasm'])).code).toBe(0)
    const photographs = join(folder, 'photographs')
    const node = ['--conditions=@facekit/source', '--import', 'tsx']
    const script = join(weights, 'scripts/prepare-photographs.ts')
    const { stdout } = await promisify(execFile)(process.execPath, [...node, script, labelled, photographs])
    expect(stdout).toMatch(/^4 faces of \d people/)

    const second = join(folder, 'second')
    const changes = {
      dataset: photographs,
      photographSize: 48,
      syntheticBatch: 2,
      weights: join(first, 'regressor.safetensors'),
    }
    const both = await run(['train', await recipe('photographs', changes), '-o', second, '--json'])
    expect(both.stderr).toBe('')
    expect(both.code).toBe(0)
    const [line] = await readTrainingLog(join(second, 'log.jsonl'))
    const ofPhotographs =
      'identity photometric landmark innerMouth regularization uniform expressionRange pointLight'
    const supervised = 'identity expression albedo pose illumination vertices pixels diffuse specular'
    expect(Object.keys(line.terms!)).toEqual([
      ...ofPhotographs.split(' '),
      ...supervised.split(' ').map((name) => `supervised_${name}`),
    ])
    expect(Object.values(line.terms!).every(Number.isFinite)).toBe(true)
    const file = await readFile(join(second, 'regressor.safetensors'))
    expect(file.length).toBeLessThan(0.6 * (await readFile(join(first, 'regressor.safetensors'))).length)
    const regressor = await loadRegressor(file, { for: createTinyFace() })
    expect(regressor.inputSize).toBe(32)
    regressor.dispose()
  })
})
