import { execFileSync } from 'node:child_process'
import { appendToFile, readRegularFile, removeTemporaryFiles, writeFileAtomic } from '@facekit/core'
import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facekit-regular-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('readRegularFile', () => {
  it('value: a file, through a link too', async () => {
    await writeFile(join(folder, 'a'), Uint8Array.of(1, 2, 3))
    await symlink('a', join(folder, 'link'))
    expect([...(await readRegularFile(join(folder, 'link'), 3))]).toEqual([1, 2, 3])
    await writeFile(join(folder, 'empty'), '')
    expect(await readRegularFile(join(folder, 'empty'))).toHaveLength(0)
  })

  it('throws: before it reads, for what is no file, is too large or missing', async () => {
    const codeOf = (path: string, most?: number) =>
      readRegularFile(path, most).then(
        () => 'read',
        (error: NodeJS.ErrnoException) => error.code,
      )
    await writeFile(join(folder, 'a'), 'four')
    expect(await codeOf(join(folder, 'a'), 3)).toBe('EFBIG')
    expect(await codeOf(folder)).toBe('EISDIR')
    expect(await codeOf(join(folder, 'none'))).toBe('ENOENT')
    if (process.platform === 'win32') return
    execFileSync('mkfifo', [join(folder, 'pipe')])
    expect(await codeOf(join(folder, 'pipe'))).toBe('ENOTREG')
    await symlink('/dev/zero', join(folder, 'endless'))
    expect(await codeOf(join(folder, 'endless'))).toBe('ENOTREG')
  })
})

describe('removeTemporaryFiles', () => {
  it('value: removes what is left of own files, and nothing else', async () => {
    for (const name of ['a.json.123.abc123.tmp', 'b.json.123.abc123.tmp', 'a.json', 'notes.tmp'])
      await writeFile(join(folder, name), 'x')
    await removeTemporaryFiles(folder, (name) => name === 'a.json')
    expect((await readdir(folder)).toSorted()).toEqual(['a.json', 'b.json.123.abc123.tmp', 'notes.tmp'])
  })
})

describe.skipIf(process.platform !== 'linux')('a full disk', () => {
  it('throws: the error names the file', async () => {
    const full = await appendToFile('/dev/full', 'x').catch((error: NodeJS.ErrnoException) => error)
    expect(full).toMatchObject({ code: 'ENOSPC', path: '/dev/full' })
    expect((full as Error).message).toContain('/dev/full')
    await expect(writeFileAtomic('/proc/self/none/a', 'x')).rejects.toMatchObject({
      path: '/proc/self/none/a',
    })
  })
})
