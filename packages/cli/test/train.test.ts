import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { saveMorphableModel } from '@facekit/morphable'
import { loadRegressor } from '@facekit/regressor'
import { createTinyFace } from '@facekit/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from './run-in-process.js'

let folder: string
let model: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facekit-train-'))
  model = join(folder, 'tiny.safetensors')
  await saveMorphableModel(createTinyFace({ rows: 13, columns: 11 }), model)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const settings = () => ({
  model,
  backbone: 'mobile',
  inputSize: 32,
  batch: 2,
  iterations: 4,
  evaluateEvery: 2,
  checkpointEvery: 2,
  clipNorm: 5,
  learningRate: { schedule: 'cosine', from: 1e-3, warmup: 2 },
  backend: 'wasm',
})

describe('facekit train', () => {
  it('smoke: help names the flags', async () => {
    const { code, stdout } = await run(['train', '--help'])
    expect(code).toBe(0)
    for (const flag of ['--dataset', '--synthetic', '--resume', '--iterations', '--json', 'mpiexec'])
      expect(stdout).toContain(flag)
  })

  it('smoke: trains on rendered faces, resumes, and leaves a regressor', async () => {
    const config = join(folder, 'settings.json')
    await writeFile(config, JSON.stringify(settings()))
    const out = join(folder, 'run')
    const first = await run(['train', config, '--synthetic', '--iterations', '2', '-o', out])
    expect(first.stderr).toMatch(/iteration 2 of 2: loss/)
    expect(first).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/held out: landmark error .*report\.html/s),
    })
    const again = await run(['train', config, '--synthetic', '-o', out])
    expect(again).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/holds a training that got to iteration 2/),
    })
    const second = await run(['train', '--resume', '--iterations', '4', '-o', out, '--json'])
    expect(second.code).toBe(0)
    const report = JSON.parse(second.stdout) as Record<string, unknown>
    expect(report).toMatchObject({ iterations: 4, stoppedBy: 'iterations', processes: 1, backend: 'wasm' })
    expect(Object.keys(report.evaluation as object)).toEqual(['landmarkError', 'colorError', 'pictures'])
    for (const file of ['report.html', 'log.jsonl', 'config.json', 'panels/panel-000000004.png'])
      expect(existsSync(join(out, file))).toBe(true)
    expect(JSON.parse(await readFile(join(out, 'config.json'), 'utf8'))).toMatchObject({
      batch: 2,
      synthetic: true,
    })
    const regressor = await loadRegressor(join(out, 'regressor.safetensors'), { for: createTinyFace() })
    expect(regressor.inputSize).toBe(32)
    regressor.dispose()
  })

  it('value: a refused --resume changes nothing; what may change is changed', async () => {
    const out = join(folder, 'refused')
    const config = join(folder, 'with-mark.json')
    // As Windows PowerShell writes it.
    await writeFile(config, Buffer.from(`\ufeff${JSON.stringify(settings())}`, 'utf16le'))
    expect((await run(['train', config, '--synthetic', '--iterations', '2', '-o', out])).code).toBe(0)
    const contents = async () => {
      const entries = await readdir(out, { recursive: true, withFileTypes: true })
      const files = entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
      return Promise.all(files.sort().map(async (path) => [path, (await readFile(path)).toString('base64')]))
    }
    const before = await contents()
    const refused = async (...flags: string[]) => {
      const { code, stderr } = await run(['train', '--resume', '-o', out, ...flags])
      expect(code).toBe(1)
      expect(await contents()).toEqual(before)
      return stderr
    }
    expect(await refused('--batch', '3')).toMatch(
      /--resume: batch is 3, the training was begun with 2 \(.*config\.json\)/,
    )
    expect(await refused('--seed', '9')).toMatch(/seed is 9/)
    expect(await refused('--backbone', 'resnet18')).toMatch(/backbone is "resnet18", .* with "mobile"/)
    expect(await refused('--iterations', '1')).toMatch(/iterations is 1, .* has 2 done; ask for at least 2/)
    expect(await refused('--dataset', join(folder, 'nowhere'))).toMatch(/nowhere: cannot be read/)
    const { code } = await run([
      'train',
      '--resume',
      '-o',
      out,
      '--iterations',
      '3',
      '--learning-rate',
      '1e-4',
    ])
    expect(code).toBe(0)
    const stored = JSON.parse(await readFile(join(out, 'config.json'), 'utf8')) as object
    expect(stored).toMatchObject({ iterations: 3, learningRate: 1e-4, batch: 2, synthetic: true })
  })

  it('value: one command begins, and goes on; before its first step it leaves no network', async () => {
    const out = join(folder, 'one-command')
    const config = join(folder, 'one-command.json')
    await writeFile(config, JSON.stringify(settings()))
    const command = ['train', config, '--synthetic', '--resume', '-o', out]
    const begun = await run([...command, '--seconds', '0.000001'])
    expect(begun.stderr).toMatch(/there is no training in .*one-command yet; it begins/)
    expect(begun).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/no new step.*nothing was trained yet/s),
    })
    expect(existsSync(join(out, 'regressor.safetensors'))).toBe(false)
    expect((await run([...command, '--iterations', '2', '--seconds', '600'])).code).toBe(0)
    expect((await run([...command, '--iterations', '3'])).code).toBe(0)
    expect(existsSync(join(out, 'regressor.safetensors'))).toBe(true)
    const typo = await run(['train', '--resume', '-o', join(folder, 'typo')])
    expect(typo).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/there is no training in .*typo to go on with/),
    })
  })

  it('throws: without pictures, before a backend starts', async () => {
    const { code, stderr } = await run(['train', '-o', join(folder, 'never'), '--backend', 'webgpu'])
    expect(code).toBe(1)
    expect(stderr).toBe('facekit: train: no pictures; give --dataset, --synthetic or both\n')
    const none = await run([
      'train',
      '--dataset',
      join(folder, 'none'),
      '-o',
      join(folder, 'never'),
      '--backend',
      'webgpu',
    ])
    expect(none.stderr).toMatch(/^training in .*\nfacekit: .*none: cannot be read \(ENOENT\).*\n$/)
  })

  it('throws: settings that make no sense', async () => {
    const fails = async (content: string, flags = ['--synthetic']) => {
      const path = join(folder, 'bad.json')
      await writeFile(path, content)
      const { code, stderr } = await run(['train', path, '-o', join(folder, 'never'), ...flags])
      expect(code).toBe(1)
      expect(stderr.split('\n').filter((line) => line.startsWith('facekit: '))).toHaveLength(1)
      return stderr
    }
    expect(await fails('{')).toMatch(/bad\.json: is no JSON/)
    expect(await fails(`{"synthetic":${'['.repeat(1e5)}${']'.repeat(1e5)}}`)).toMatch(/more than 64 levels/)
    expect(await fails('{"batch": {"toString": 1}}')).toMatch(/"batch" is {"toString":1}, expected a number/)
    expect(await fails('{"__proto__": {"polluted": 1}}')).toMatch(/"__proto__" is unknown/)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    expect(await fails('{"batchsize": 3}')).toMatch(
      /"batchsize" is unknown, expected some of model, backbone/,
    )
    expect(await fails('{"batch": "3"}')).toMatch(/"batch" is "3", expected a number/)
    const whole = { ...settings(), learningRate: { schedule: 'zigzag', from: 1 }, synthetic: true }
    expect(await fails(JSON.stringify(whole))).toMatch(/zigzag.*expected a number/)
    const { stderr } = await run(['train', '--resume', '-o', join(folder, 'never')])
    expect(stderr).toMatch(/there is no training in/)
    expect(existsSync(join(folder, 'never'))).toBe(false)
  })
})
