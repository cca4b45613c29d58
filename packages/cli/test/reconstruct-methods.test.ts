import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encodeMorphableModel } from '@facekit/morphable'
import { createRegressor, saveRegressor } from '@facekit/regressor'
import { createTinyFace, useBackend } from '@facekit/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ParametersFile, ReconstructReport } from '@facekit/cli'
import { photograph, writeCrop } from './pictures.js'
import { run } from './run-in-process.js'

const weights = fileURLToPath(
  new URL('../../regressor-weights/weights/regressor.safetensors', import.meta.url),
)

let folder: string
let picture: string
let model: string
let regressor: string
beforeAll(async () => {
  await useBackend('wasm')
  folder = await mkdtemp(join(tmpdir(), 'facekit-methods-'))
  picture = await writeCrop(photograph(6), join(folder, 'one.png'), {
    x: 1385,
    y: 160,
    width: 410,
    height: 500,
  })
  model = join(folder, 'tiny.safetensors')
  regressor = join(folder, 'regressor.safetensors')
  const face = createTinyFace()
  await writeFile(model, encodeMorphableModel(face))
  const network = createRegressor({
    backbone: 'mobile',
    layout: face.layout,
    inputSize: 64,
    faceModel: face.name,
  })
  await writeFile(regressor, await saveRegressor(network, { precision: 'float16' }))
  network.dispose()
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const reconstruct = (...options: string[]) =>
  run(['reconstruct', picture, '--size', '64', '--force', '--json', ...options])
const read = async (out: string) =>
  JSON.parse(await readFile(join(out, 'one/face-1/parameters.json'), 'utf8')) as ParametersFile

describe('facekit reconstruct --method', () => {
  it('value: regress takes what a network gives, refine goes on from there', async () => {
    const own = ['--model', model, '--regressor', regressor]
    const out = join(folder, 'regressed')
    const regressed = await reconstruct('--method', 'regress', ...own, '-o', out)
    expect(regressed.stderr).toBe('')
    const report = JSON.parse(regressed.stdout) as ReconstructReport
    expect(Object.keys(report.seconds)).toContain('regressor')
    expect(Object.keys(report.pictures[0].faces[0].seconds)).toEqual([
      'regress',
      'render',
      'texture',
      'write',
    ])
    const first = await read(out)
    expect([first.method, first.metrics.iterations]).toEqual(['regress', 0])
    // Random weights: about the mean face.
    expect(Math.max(...first.identity.map(Math.abs))).toBeLessThan(0.2)
    const refined = await reconstruct('--method', 'refine', '--iterations', '8', ...own, '-o', out)
    expect(refined.code).toBe(0)
    const second = await read(out)
    expect([second.method, second.metrics.iterations]).toEqual(['refine', 8])
    expect(second.metrics.colorError).toBeLessThan(first.metrics.colorError)
  })

  it('throws: a regressor for another face model, and options that do not go together', async () => {
    const out = join(folder, 'never')
    const other = await reconstruct('--method', 'regress', '--regressor', regressor, '-o', out)
    expect(other.code).toBe(1)
    expect(other.stderr).toMatch(
      /^facekit: loadRegressor: .*it gives .* coefficients of .*; use its own model, or train/,
    )
    const missing = await reconstruct('--method', 'refine', '--regressor', join(folder, 'none'), '-o', out)
    expect(missing.stderr).toMatch(/cannot read .*none/)
    const steps = await reconstruct('--method', 'regress', '--iterations', '3', '-o', out)
    expect(steps.stderr).toMatch(/--iterations is for the methods fit and refine/)
    const unused = await reconstruct('--regressor', regressor, '-o', out)
    expect(unused.stderr).toMatch(/--regressor is for the methods regress and refine/)
    expect(existsSync(out)).toBe(false)
  })

  it.skipIf(!existsSync(weights))(
    'value: the shipped weights work at once, and only with the base model',
    async () => {
      const out = join(folder, 'shipped')
      const result = await reconstruct('--method', 'regress', '-o', out)
      expect(result.stderr).toBe('')
      // The large network's package is beside this one; the small one is for a model of its own.
      const large = await read(out)
      expect(large.model.name).toBe('facekit-scans')
      const small = await reconstruct('--method', 'regress', '--regressor', 'mobile', '-o', out)
      expect(small.stderr).toBe('')
      const other = await read(out)
      expect(other.model.name).toBe('facekit-learned')
      for (const { metrics } of [large, other]) {
        expect(metrics.landmarkError).toBeLessThan(0.06)
        expect(metrics.colorError).toBeLessThan(0.2)
      }
      const learned = await reconstruct('--method', 'regress', '--model', 'learned', '-o', out)
      expect(learned.stderr).toBe('')
      expect(await read(out)).toMatchObject({ identity: other.identity })
      const foreign = await reconstruct('--method', 'regress', '--model', model, '-o', out)
      expect(foreign.code).toBe(1)
      expect(foreign.stderr).toMatch(/it gives .* coefficients of/)
    },
  )
})
