import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from './run-in-process.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facekit-track-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const at = (name: string) => join(folder, name)

describe('facekit track', () => {
  it('smoke: help names the flags', async () => {
    const { code, stdout } = await run(['track', '--help'])
    expect(code).toBe(0)
    for (const flag of ['--out', '--fps', '--model', '--backend', '--force', '--json'])
      expect(stdout).toContain(flag)
  })

  it('throws: no such video, a folder without pictures, a file that is no video, results that exist', async () => {
    await mkdir(at('empty'))
    await mkdir(at('done'))
    await writeFile(at('done/track.json'), '{}')
    await writeFile(at('notes.mp4'), 'no video')
    for (const [source, out, message] of [
      ['nowhere.mp4', 'a', /no such file or folder/],
      ['empty', 'a', /holds no pictures/],
      ['notes.mp4', 'a', /notes\.mp4|install ffmpeg/],
      ['empty', 'done', /track\.json exists; use --force/],
    ] as const) {
      const { code, stderr } = await run(['track', at(source), '-o', at(out)])
      expect(code).toBe(1)
      expect(stderr).toMatch(message)
      expect(stderr.trim().split('\n')).toHaveLength(1)
    }
  })
})
