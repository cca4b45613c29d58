import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { OutputFolders } from '@facekit/cli'

const script = fileURLToPath(new URL('dying-output.ts', import.meta.url))
let root = ''
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'facekit-output-'))
})
afterEach(() => rm(root, { recursive: true }))

/** Writes a result, whose one face says who made it. */
async function fill(folders: OutputFolders, text: string): Promise<void> {
  const folder = await folders.start('me')
  await mkdir(join(folder, 'face-1'))
  await writeFile(join(folder, 'face-1', 'by.txt'), text)
}
const made = () => readFile(join(root, 'me', 'face-1', 'by.txt'), 'utf8')

describe('OutputFolders', () => {
  it('throws: of two runs to one name without --force the second to end is refused', async () => {
    const [first, second] = [
      await OutputFolders.open(root, ['me'], false),
      await OutputFolders.open(root, ['me'], false),
    ]
    await fill(first, 'first')
    await fill(second, 'second')
    await first.finish('me')
    await expect(second.finish('me')).rejects.toThrow(/me exists; use --force/)
    await first.close()
    await second.close()
    expect(await made()).toBe('first')
    expect(await readdir(root)).toEqual(['me'])
  })

  it('value: of many runs with --force the last one to end wins, whole', async () => {
    const runs = await Promise.all(Array.from({ length: 8 }, () => OutputFolders.open(root, ['me'], true)))
    await Promise.all(runs.map((folders, i) => fill(folders, String(i))))
    await Promise.all(runs.map((folders) => folders.finish('me')))
    await Promise.all(runs.map((folders) => folders.close()))
    expect(await made()).toMatch(/^[0-7]$/)
    expect(await readdir(root)).toEqual(['me'])
  })

  it('value: what a killed run left goes, a result that it was replacing comes back, one that works stays', async () => {
    const living = await OutputFolders.open(root, ['you'], false)
    expect(() =>
      execFileSync(process.execPath, ['--conditions=@facekit/source', '--import', 'tsx', script, root]),
    ).toThrow('Command failed')
    const left = (await readdir(root)).filter((name) => name.startsWith('.facekit-run-'))
    // Two folders and two locks.
    expect(left).toHaveLength(4)
    const next = await OutputFolders.open(root, ['another'], false)
    expect((await readdir(root)).filter((name) => name.startsWith('.facekit-run-'))).toHaveLength(4)
    expect(await made()).toBe('before')
    await next.close()
    await fill(living, 'living')
    await living.close()
    expect(await readdir(root)).toEqual(['me'])
  })
})
