import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeFileAtomic } from '@facekit/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

describe('writeFileAtomic', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'facekit-atomic-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('value: writes texts and bytes, replaces what was there, leaves nothing else', async () => {
    const path = join(folder, 'a.txt')
    await writeFileAtomic(path, 'first, and longer')
    await writeFileAtomic(path, 'second')
    expect(await readFile(path, 'utf8')).toBe('second')
    await writeFileAtomic(join(folder, 'b.bin'), Uint8Array.of(0, 255))
    expect([...(await readFile(join(folder, 'b.bin')))]).toEqual([0, 255])
    expect((await readdir(folder)).toSorted()).toEqual(['a.txt', 'b.bin'])
  })

  it('value: of writers at the same time one wins, whole', async () => {
    const path = join(folder, 'a.txt')
    const texts = Array.from({ length: 8 }, (_, i) => String(i).repeat(50_000))
    await Promise.all(texts.map((text) => writeFileAtomic(path, text)))
    expect(texts).toContain(await readFile(path, 'utf8'))
    expect(await readdir(folder)).toEqual(['a.txt'])
  })

  it('throws: no such folder, a folder in the way; nothing is left, the old is untouched', async () => {
    await expect(writeFileAtomic(join(folder, 'none', 'a.txt'), 'x')).rejects.toThrow('ENOENT')
    await mkdir(join(folder, 'taken'))
    await writeFile(join(folder, 'taken', 'old'), 'old')
    await expect(writeFileAtomic(join(folder, 'taken'), 'x')).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST|EPERM/)
    expect(await readdir(folder)).toEqual(['taken'])
    expect(await readdir(join(folder, 'taken'))).toEqual(['old'])
  })
})
