import { ownPictureText, writePng } from '@facekit/export'
import ndarray from 'ndarray'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from './run-in-process.js'

let root: string
let folder: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'facekit-pictures-'))
  folder = join(root, 'photos')
  await mkdir(join(folder, 'deeper'), { recursive: true })
  await mkdir(join(root, 'elsewhere'))
  // Each is named in an error when its turn comes, before anything else is loaded.
  for (const name of ['photos/a.jpg', 'photos/deeper/b.jfif', 'photos/notes.txt', 'elsewhere/c.png']) {
    await writeFile(join(root, name), 'no picture')
  }
  await writePng(ndarray(new Uint8Array(300), [10, 10, 3]), join(folder, 'panels.png'), {
    text: ownPictureText,
  })
  await symlink(join(root, 'elsewhere'), join(folder, 'linked'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

const named = async (...pictures: string[]) => {
  const { stderr } = await run(['reconstruct', ...pictures, '--out', join(root, 'out')])
  return [...stderr.matchAll(/facekit: readPicture: (.*?): not a picture/g)].map(([, path]) =>
    path.slice(root.length + 1),
  )
}

describe('the pictures of facekit reconstruct', () => {
  it('value: a folder is all photographs below it, linked folders too, but not what facekit made', async () => {
    expect(await named(folder)).toEqual(['photos/a.jpg', 'photos/deeper/b.jfif', 'photos/linked/c.png'])
  })

  it('value: patterns, and a file twice', async () => {
    expect(await named(join(root, '*/*.jp*'))).toEqual(['photos/a.jpg'])
    expect(await named(join(folder, '**/?.j*'), join(folder, 'a.jpg'))).toEqual([
      'photos/a.jpg',
      'photos/deeper/b.jfif',
    ])
  })

  it('throws: nothing below, nothing matched', async () => {
    const empty = join(root, 'empty')
    await mkdir(empty)
    const nothing = await run(['reconstruct', empty, '--out', join(root, 'out')])
    expect(nothing.stderr).toBe(`facekit: ${empty}: holds no photographs; name a file, or another folder\n`)
    const none = await run(['reconstruct', join(folder, '*.webp'), '--out', join(root, 'out')])
    expect(none.stderr).toMatch(/\*\.webp: matches no photograph/)
    expect([nothing.code, none.code]).toEqual([1, 1])
  })
})
