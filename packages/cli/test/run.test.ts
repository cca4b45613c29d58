import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { photograph, writeBadPictures } from './pictures.js'
import { run } from './run-in-process.js'

let folder: string
let bad: Record<string, string>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facekit-cli-'))
  bad = await writeBadPictures(folder)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** One line, no stack, the right code. */
function expectOneError(result: { code: number; stdout: string; stderr: string }, message: RegExp): void {
  const errors = result.stderr.split('\n').filter((line) => line.startsWith('facekit: '))
  expect(errors.join('\n')).toMatch(message)
  expect(errors).toHaveLength(1)
  expect(result.stderr).not.toMatch(/\n\s+at /)
  expect(result.stdout).toBe('')
  expect(result.code).toBe(1)
}

describe('facekit', () => {
  it('smoke: help and version', async () => {
    const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    expect(await run(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
    for (const argv of [[], ['--help'], ['-h']]) {
      const { code, stdout, stderr } = await run(argv)
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout).toMatch(/Usage: facekit.*reconstruct.*doctor/s)
    }
    const { code, stdout } = await run(['reconstruct', '--help'])
    expect(code).toBe(0)
    for (const flag of [
      '--out',
      '--method',
      '--model',
      '--backend',
      '--face',
      '--iterations',
      '--size',
      '--force',
      '--json',
    ]) {
      expect(stdout).toContain(flag)
    }
    expect((await run(['doctor', '--help'])).stdout).toContain('--json')
  })

  const mistakes: [string, string[], RegExp][] = [
    ['an unknown command', ['reconstrut'], /unknown command 'reconstrut'/],
    ['an unknown option', ['reconstruct', 'a.jpg', '--fast'], /unknown option '--fast'/],
    ['no picture', ['reconstruct'], /missing required argument 'image'/],
    ['an unknown method', ['reconstruct', 'a.jpg', '--method', 'magic'], /'magic' is invalid.*fit/],
    ['an unknown backend', ['reconstruct', 'a.jpg', '--backend', 'abacus'], /'abacus' is invalid.*wasm/],
    ['face 0', ['reconstruct', 'a.jpg', '--face', '0'], /whole number from 1/],
    ['half a step', ['reconstruct', 'a.jpg', '--iterations', '1.5'], /whole number from 0/],
    ['absurd maps', ['reconstruct', 'a.jpg', '--size', '1000000'], /whole number from 16 to 4096/],
  ]
  it.each(mistakes)('throws: %s', async (_, argv, message) => {
    expectOneError(await run(argv), message)
  })
})

describe('facekit reconstruct, before the work starts', () => {
  const pictures: [string, RegExp][] = [
    ['missing', /missing\.jpg: no such file/],
    ['text', /text\.jpg: .*not a picture/],
    ['empty', /empty\.png: the file is empty/],
    ['truncated', /truncated\.jpg/],
    ['huge', /huge\.png: .*30,?000 x 30,?000/],
  ]
  it.each(pictures)('throws: a picture that is %s leaves nothing behind', async (name, message) => {
    const out = join(folder, `out-${name}`, 'deep')
    expectOneError(await run(['reconstruct', bad[name] ?? join(folder, 'missing.jpg'), '-o', out]), message)
    expect(existsSync(join(folder, `out-${name}`))).toBe(false)
  })

  it('throws: a folder without photographs', async () => {
    const empty = join(folder, 'empty')
    await mkdir(empty)
    expectOneError(await run(['reconstruct', empty, '-o', join(folder, 'out')]), /holds no photographs/)
  })

  it('throws: an output folder that exists, and --force does not take what is not ours', async () => {
    const out = join(folder, 'out-exists')
    await mkdir(join(out, 'sample6', 'face-1'), { recursive: true })
    const argv = ['reconstruct', photograph(6), '-o', out]
    expectOneError(await run(argv), /out-exists.sample6 exists; use --force/)
    await writeFile(join(out, 'sample6', 'diary.txt'), 'precious')
    expectOneError(await run([...argv, '--force']), /holds what facekit did not write \(diary\.txt\)/)
    expect(await readdir(join(out, 'sample6'))).toEqual(['diary.txt', 'face-1'])
    expect(await readdir(out)).toEqual(['sample6'])
  })

  it('throws: an output folder that cannot be written', async () => {
    const file = join(folder, 'a-file')
    await writeFile(file, '')
    expectOneError(await run(['reconstruct', photograph(6), '-o', file]), /a-file cannot be written/)
    expectOneError(
      await run(['reconstruct', photograph(6), '-o', join(file, 'below')]),
      /below cannot be written: .*not a folder/,
    )
  })

  it.skipIf(process.getuid?.() === 0)('throws: an output folder without permission', async () => {
    const out = join(folder, 'locked')
    await mkdir(out, { mode: 0o555 })
    expectOneError(await run(['reconstruct', photograph(6), '-o', out]), /permission denied/)
  })

  it('throws: with several pictures each says what is wrong, and how many failed', async () => {
    const out = join(folder, 'out-several')
    const result = await run(['reconstruct', bad.text, join(folder, 'missing.jpg'), '-o', out, '--json'])
    expect(result.code).toBe(1)
    expect(result.stderr).toMatch(/text\.jpg.*\n.*missing\.jpg.*\nfacekit: 2 of 2 photographs had errors\n$/s)
    const report = JSON.parse(result.stdout) as { pictures: { faces: unknown[]; errors: string[] }[] }
    expect(report.pictures.map(({ faces, errors }) => [faces.length, errors.length])).toEqual([
      [0, 1],
      [0, 1],
    ])
    expect(existsSync(out)).toBe(false)
  })

  it('value: --debug and FACEKIT_DEBUG show the stack', async () => {
    const argv = ['reconstruct', bad.text, '-o', join(folder, 'out')]
    expect((await run([...argv, '--debug'])).stderr).toMatch(/\n\s+at /)
    expect((await run(argv, { env: { FACEKIT_DEBUG: '1' } })).stderr).toMatch(/\n\s+at /)
  })
})
