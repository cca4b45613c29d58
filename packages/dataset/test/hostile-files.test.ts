import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ValueError } from '@facekit/core'
import {
  DatasetError,
  labelFolder,
  listPictures,
  openDataset,
  verifyShard,
  writeShards,
} from '@facekit/dataset'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makePictures } from './picture-folder.js'
import { stubAnnotations } from './stub-annotator.js'
import { tinySample } from './tiny-samples.js'

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'facekit-hostile-'))
})
afterAll(() => rm(root, { recursive: true }))

const annotate = async (picture: Parameters<typeof stubAnnotations>[0]) => stubAnnotations(picture)

/** A shard of three samples; path of the tar and of its index. */
async function shard(name: string): Promise<{ folder: string; tar: string; index: string }> {
  const folder = join(root, name)
  await writeShards(
    [0, 1, 2].map((number) => tinySample(number)),
    folder,
  )
  return { folder, tar: join(folder, 'faces-000000.tar'), index: join(folder, 'faces-000000.index.json') }
}

describe('an index', () => {
  it.each([
    ['null', () => null],
    ['a number', () => 7],
    ['a list', () => []],
    ['no key', () => ({ files: { jpg: [512, 4] } })],
    ['an identity that is no text', () => ({ key: 'a', identity: {}, files: { jpg: [512, 4] } })],
    ['a quality that is no number', () => ({ key: 'a', quality: '1', files: { jpg: [512, 4] } })],
    ['no files', () => ({ key: 'a', files: null })],
    [
      'files that share bytes',
      (bytes: number) => ({ key: 'a', files: { a: [0, bytes - 1], b: [0, bytes - 1] } }),
    ],
    ['a name that cannot be shown', () => ({ key: JSON.parse('{"toString":1}'), files: {} })],
  ])('throws: a sample that is %s', async (_, sample) => {
    const { folder, index } = await shard(`index ${_}`)
    const whole = JSON.parse(await readFile(index, 'utf8')) as { samples: unknown[]; bytes: number }
    whole.samples[1] = sample(whole.bytes)
    await writeFile(index, JSON.stringify(whole))
    await expect(openDataset(folder)).rejects.toThrow(DatasetError)
  })

  it('throws: a version that is a deep value', async () => {
    const { folder, index } = await shard('deep')
    await writeFile(index, `{"format":"facekit-shard","version":${'['.repeat(1e5)}${']'.repeat(1e5)}}`)
    await expect(openDataset(folder)).rejects.toThrow('holds "facekit-shard" [[[[...]]]], expected')
  })
})

describe('verifyShard', () => {
  it('value: is true for a shard as it was written', async () => {
    const { tar } = await shard('whole')
    expect(await verifyShard(tar)).toEqual(['sample-0000', 'sample-0001', 'sample-0002'])
  })

  it('throws: a tar that is gone, cut, or another one of the same length', async () => {
    const { tar, index } = await shard('changed')
    const bytes = await readFile(tar)
    await writeFile(tar, bytes.subarray(0, bytes.length - 512))
    await expect(verifyShard(tar)).rejects.toThrow('expected')
    await writeFile(tar, new Uint8Array(bytes.length))
    await expect(verifyShard(tar)).rejects.toThrow(DatasetError)
    await rm(tar)
    await expect(verifyShard(tar)).rejects.toThrow(DatasetError)
    await rm(index)
    await expect(verifyShard(tar)).rejects.toThrow('has no index')
  })
})

describe('paths of pictures', () => {
  it.each([
    '../out.png',
    'a/../../b.png',
    '/etc/a.png',
    'C:\\a.png',
    '..\\a.png',
    'a//b.png',
    './a.png',
    'a\0.png',
    '',
  ])('throws: %j leads out of the folder, and nothing is written', async (path) => {
    const folder = join(root, 'inside', 'pictures')
    await makePictures(folder, 4)
    const labelling = labelFolder(folder, join(root, 'inside', 'out'), {
      annotate,
      layout: 'beside',
      pictures: ['person 0/0.png', path],
    })
    await expect(labelling).rejects.toThrow(ValueError)
    await expect(readFile(join(root, 'inside', 'out', '.facekit-labels', 'plan.json'))).rejects.toThrow(
      'ENOENT',
    )
  })

  it.each([
    ['settings that are missing', { format: 'facekit-label-plan', version: 1, shards: [] }],
    ['a picture outside', { format: 'facekit-label-plan', version: 1, settings: {}, shards: [['../a.png']] }],
    ['shards of no list', { format: 'facekit-label-plan', version: 1, settings: {}, shards: [null] }],
  ])('throws: a plan with %s', async (name, plan) => {
    const folder = join(root, 'plan', 'pictures')
    await makePictures(folder, 4)
    const out = join(root, 'plan', name)
    await mkdir(join(out, '.facekit-labels'), { recursive: true })
    await writeFile(join(out, '.facekit-labels', 'plan.json'), JSON.stringify(plan))
    await expect(labelFolder(folder, out, { annotate })).rejects.toThrow(DatasetError)
  })
})

describe.skipIf(process.platform === 'win32')('pipes and devices', () => {
  it('value: are no pictures, and bad ones when they are named', async () => {
    const folder = join(root, 'special')
    await makePictures(folder, 4)
    execFileSync('mkfifo', [join(folder, 'pipe.png')])
    await symlink('/dev/zero', join(folder, 'endless.png'))
    const found = await listPictures(folder)
    expect(found.filter((path) => !path.startsWith('person'))).toEqual([])
    const { whole } = await labelFolder(folder, join(root, 'special-out'), {
      annotate,
      pictures: ['endless.png', 'person 0/0.png', 'pipe.png'],
    })
    expect(whole).toMatchObject({
      faces: 1,
      skipped: ['endless.png', 'pipe.png'].map((picture) => ({
        picture,
        reason: 'is no regular file',
        empty: false,
      })),
    })
    await expect(openDataset(join(folder, 'pipe.png'))).rejects.toThrow('ENOTREG')
  }, 30_000)
})
