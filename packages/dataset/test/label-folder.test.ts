import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BackendError, createRandom, lockFile, LockError } from '@facekit/core'
import { labelFolder, openDataset, readShards, removeLabels, type LabelFolderOptions } from '@facekit/dataset'
import { bundleScripts } from './bundle-scripts.js'
import { allFiles, makePictures, plainPicture } from './picture-folder.js'
import { stubAnnotations } from './stub-annotator.js'

const COUNT = 20
let root: string
let pictures: string
let expected: Record<string, string>
let scripts: string

beforeAll(async () => {
  scripts = await bundleScripts({
    'label-with-stub': 'test/label-with-stub.ts',
    'stub-worker': 'test/stub-worker.ts',
    'lock-race': 'test/lock-race.ts',
  })
  root = await mkdtemp(join(tmpdir(), 'facekit-label-'))
  pictures = join(root, 'pictures')
  await makePictures(pictures, COUNT)
  await label('undisturbed')
  expected = await allFiles(join(root, 'undisturbed'))
})
afterAll(async () => {
  await rm(root, { recursive: true, force: true })
  await rm(scripts, { recursive: true, force: true })
})

/** Labels in this thread. */
const label = (out: string, options: Partial<LabelFolderOptions> = {}) =>
  labelFolder(pictures, join(root, out), {
    annotate: async (picture) => stubAnnotations(picture),
    picturesPerShard: 6,
    ...options,
  })

/** Labels in processes of their own; what was printed. */
async function spawnLabel(
  folder: string,
  out: string,
  options: object = {},
  watch: (lines: string[], child: ChildProcess) => void = () => {},
): Promise<string[]> {
  const script = join(scripts, 'label-with-stub.js')
  const child = spawn(process.execPath, [script, folder, join(root, out), JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (data: Buffer) => {
    text += data
    watch(text.split('\n').slice(0, -1), child)
  })
  await new Promise((resolve) => child.on('close', resolve))
  return text.split('\n').slice(0, -1)
}

const pictureLines = (lines: string[]) => lines.filter((line) => /^done ./.test(line))

describe('labelling a folder', () => {
  it('value: every face of every picture, with whose it is; bad pictures are listed', async () => {
    const report = await label('undisturbed')
    expect(report).toMatchObject({ pictures: COUNT + 2, before: COUNT + 2 })
    const { faces, skipped, shards } = report.whole!
    expect(faces).toBe(COUNT)
    expect(shards.length).toBe(4)
    expect(skipped).toEqual([
      { picture: 'person 1/cut.png', reason: expect.stringMatching(/truncated or damaged/), empty: false },
      { picture: 'person 2/text.jpg', reason: expect.stringMatching(/not a picture/), empty: false },
      { picture: 'person 3/3.png', reason: 'no face found', empty: true },
    ])
    const dataset = await openDataset(join(root, 'undisturbed'))
    expect(dataset.identities).toEqual([0, 1, 2, 3].map((i) => `person ${i}`))
    const two = dataset.entries.filter(({ picture }) => picture === 'person 1/5.png')
    expect(two.map(({ key }) => key)).toEqual(['000001-000002-0', '000001-000002-1'])
    const sample = await dataset.read(dataset.entries.indexOf(two[1]))
    expect(sample.source).toEqual({ picture: 'person 1/5.png', width: 24, height: 20, face: 1, faces: 2 })
    expect(sample.quality).toMatchObject({ detection: 0.75, resolution: 1, region: 1 })
    let read = 0
    for await (const _ of readShards(join(root, 'undisturbed'))) read++
    expect(read).toBe(COUNT)
  })

  it('value: the same bytes from several processes, killed at random moments and started again', async () => {
    const random = createRandom(11)
    const seen: string[] = []
    for (let kill = 0; kill < 3; kill++) {
      const after = 1 + random.integer(6)
      const lines = await spawnLabel(
        pictures,
        'killed',
        { workers: 2, workerOptions: { wait: 15 } },
        (sofar, child) => {
          if (pictureLines(sofar).length >= after) {
            setTimeout(() => child.kill('SIGKILL'), random.uniform(0, 25))
          }
        },
      )
      seen.push(...pictureLines(lines))
    }
    const lines = await spawnLabel(pictures, 'killed', { workers: 3 })
    seen.push(...pictureLines(lines))
    expect(lines.at(-1)).toMatch(/^report/)
    // No picture was done twice.
    expect(new Set(seen).size).toBe(seen.length)
    expect(await allFiles(join(root, 'killed'))).toEqual(expected)
  })

  it('value: interrupted it ends at once, and goes on', async () => {
    const lines = await spawnLabel(
      pictures,
      'interrupted',
      { workers: 2, workerOptions: { wait: 20 } },
      (sofar, child) => {
        if (pictureLines(sofar).length === 3) child.kill('SIGINT')
      },
    )
    expect(lines.at(-1)).toBe('failed interrupted')
    const { before } = await label('interrupted')
    expect(before).toBeGreaterThanOrEqual(3)
    expect(before).toBeLessThan(COUNT)
    expect(await allFiles(join(root, 'interrupted'))).toEqual(expected)
  })

  it('value: shares of two ranks are the whole', async () => {
    const first = await label('ranks', { rank: 1, ranks: 2 })
    expect(first.whole).toBeUndefined()
    const second = await label('ranks', { rank: 0, ranks: 2 })
    expect(first.pictures + second.pictures).toBe(COUNT + 2)
    expect(second.whole?.faces).toBe(COUNT)
    expect(await allFiles(join(root, 'ranks'))).toEqual(expected)
  })

  it('value: a shard that was cut is made again', async () => {
    const { whole } = await label('cut')
    await truncate(whole!.shards[1], 2000)
    await writeFile(join(root, 'cut/faces-000002.tar.77.abc123.tmp'), 'half')
    await rm(join(root, 'cut/faces-000002.index.json'))
    const again = await label('cut')
    expect(again.before).toBe(COUNT + 2 - 12)
    expect(await allFiles(join(root, 'cut'))).toEqual(expected)
  })

  it('value: what a process dies or hangs over is bad, all else is done', async () => {
    const folder = join(root, 'wild')
    await makePictures(folder, 4)
    await writeFile(join(folder, 'person 0/red.png'), await plainPicture([250, 0, 0]))
    await writeFile(join(folder, 'person 0/green.png'), await plainPicture([0, 250, 0]))
    const lines = await spawnLabel(folder, 'wild-out', { workers: 2, timeLimit: 3 })
    const { whole } = JSON.parse(lines.at(-1)!.replace(/^report /, ''))
    expect(whole.faces).toBe(3)
    expect(whole.skipped).toEqual(
      expect.arrayContaining([
        {
          picture: 'person 0/red.png',
          reason: 'the process that labelled it ended with exit code 7',
          empty: false,
        },
        { picture: 'person 0/green.png', reason: 'it took longer than 3 s', empty: false },
      ]),
    )
  })

  it('throws: a backend that fails is no fault of the picture; the same again goes on', async () => {
    let calls = 0
    const failing = label('out-of-memory', {
      annotate: async (picture) => {
        if (++calls === 9) throw new BackendError('wasm backend: out of memory for 8 bytes')
        return stubAnnotations(picture)
      },
    })
    await expect(failing).rejects.toThrow(BackendError)
    await expect(failing).rejects.toThrow(/^person \d\/.+: wasm backend: out of memory for 8 bytes$/)
    const { before } = await label('out-of-memory')
    expect(before).toBeGreaterThanOrEqual(8)
    expect(await allFiles(join(root, 'out-of-memory'))).toEqual(expected)
  })

  it('throws: a process whose backend fails ends the work, and no picture is bad', async () => {
    const lines = await spawnLabel(pictures, 'broken', { workers: 2, workerOptions: { breakAfter: 3 } })
    expect(lines.at(-1)).toMatch(/^failed person \d\/.+: the device is lost$/)
    await label('broken')
    expect(await allFiles(join(root, 'broken'))).toEqual(expected)
  })

  it('value: no picture is bad because processes die between pictures', async () => {
    const folder = join(root, 'short-lived')
    await makePictures(folder, 6)
    const lines = await spawnLabel(folder, 'short-lived-out', { workers: 3, workerOptions: { once: true } })
    const { whole } = JSON.parse(lines.at(-1)!.replace(/^report /, ''))
    expect(whole.faces).toBe(6)
    expect(whole.skipped.map(({ picture }: { picture: string }) => picture)).toEqual([
      'person 1/cut.png',
      'person 2/text.jpg',
      'person 3/3.png',
    ])
  })

  it.each(['shards', 'beside'] as const)('value: folders of people may be links (%s)', async (layout) => {
    const folder = join(root, `linked-${layout}`)
    const elsewhere = join(root, `elsewhere-${layout}`)
    await makePictures(elsewhere, 4)
    await mkdir(folder)
    await symlink(join(elsewhere, 'person 0'), join(folder, 'anna'))
    await symlink(join(elsewhere, 'person 1'), join(folder, 'bert'))
    await symlink(folder, join(elsewhere, 'person 0/back'))
    const out = layout === 'beside' ? folder : join(root, 'linked-out')
    const annotate = async (picture: Parameters<typeof stubAnnotations>[0]) => stubAnnotations(picture)
    const { whole } = await labelFolder(folder, out, { annotate, layout })
    expect(whole).toMatchObject({ pictures: 3, faces: 2 })
    const dataset = await openDataset(out)
    expect(dataset.identities).toEqual(['anna', 'bert'])
    expect((await dataset.read(0)).source?.picture).toBe('anna/0.png')
  })

  it('value: pictures that are new go into further shards', async () => {
    const folder = join(root, 'growing')
    await makePictures(folder, 5)
    const options = {
      annotate: async (picture: Parameters<typeof stubAnnotations>[0]) => stubAnnotations(picture),
    }
    await labelFolder(folder, join(root, 'grown'), options)
    const before = await allFiles(join(root, 'grown'))
    await writeFile(join(folder, 'person 0/a new one.png'), await plainPicture([60, 60, 60]))
    const report = await labelFolder(folder, join(root, 'grown'), options)
    expect(report).toMatchObject({ pictures: 8, before: 7, whole: { faces: 5 } })
    const after = await allFiles(join(root, 'grown'))
    expect(after['faces-000000.tar']).toBe(before['faces-000000.tar'])
    expect(Object.keys(after).filter((name) => name.endsWith('.tar')).length).toBe(2)
  })
})

describe('labels beside the pictures', () => {
  it('value: are read like shards, resumed, and are no pictures themselves', async () => {
    const folder = join(root, 'beside')
    await makePictures(folder, 6)
    const options = {
      annotate: async (picture: Parameters<typeof stubAnnotations>[0]) => stubAnnotations(picture),
      layout: 'beside' as const,
    }
    const report = await labelFolder(folder, folder, options)
    expect(report.whole).toMatchObject({ pictures: 8, faces: 6 })
    const files = await allFiles(folder)
    expect(await readdir(join(folder, 'person 1'))).toEqual(
      ['1.png', '5.png', 'cut.png'].flatMap((name) => [
        name,
        ...[0, 1]
          .slice(0, name === '5.png' ? 2 : name === 'cut.png' ? 0 : 1)
          .flatMap((i) => ['jpg', 'json', 'mask.png'].map((ending) => `${name}.face-${i}.${ending}`)),
        `${name}.faces.json`,
      ]),
    )
    const dataset = await openDataset(folder)
    expect(dataset.length).toBe(6)
    expect((await dataset.read(0)).image.shape).toEqual([32, 32, 3])
    // As a process leaves it that was ended between two files.
    await rm(join(folder, 'person 1/5.png.faces.json'))
    await rm(join(folder, 'person 1/5.png.face-1.json'))
    await writeFile(join(folder, 'person 1/5.png.face-1.json.12.ab12cd.tmp'), 'half')
    expect(await labelFolder(folder, folder, options)).toMatchObject({ pictures: 8, before: 7 })
    expect(await allFiles(folder)).toEqual(files)
  })
})

/** The lock of a process that was killed. */
async function leaveLock(path: string): Promise<void> {
  const lock = await lockFile(path, 'labels this share')
  const text = await readFile(path, 'utf8')
  await lock.release()
  await writeFile(path, text.replace(/"start":"\d*"/, '"start":"1"'))
}

/** What a process says next; it throws when it ends instead. */
async function answerOf(child: ChildProcess): Promise<string> {
  const ended = new AbortController()
  const end = once(child, 'exit', { signal: ended.signal }).then(([code, signal]) => {
    throw new Error(`the process ended with ${signal ?? code}`)
  })
  try {
    return ((await Promise.race([once(child, 'message'), end])) as [string])[0]
  } finally {
    end.catch(() => {})
    ended.abort()
  }
}

describe('labelling', () => {
  it('value: of processes that find a lock left behind at the same moment, one gets the share', async () => {
    const folder = join(root, 'contested')
    await makePictures(folder, 4)
    // Started once: what a start takes on a busy machine is no matter of locks.
    const children = Array.from({ length: 4 }, () => fork(join(scripts, 'lock-race.js'), [folder]))
    try {
      await Promise.all(children.map(answerOf))
      for (let round = 0; round < 3; round++) {
        const out = join(root, `contested-out-${round}`)
        await mkdir(join(out, '.facekit-labels'), { recursive: true })
        await leaveLock(join(out, '.facekit-labels/lock-0-of-1'))
        const answers = Promise.all(children.map(answerOf))
        for (const child of children) child.send(out)
        expect((await answers).toSorted()).toEqual(['LockError', 'LockError', 'LockError', 'labelling'])
      }
    } finally {
      for (const child of children) child.kill('SIGKILL')
    }
  })

  it('throws: other settings, a share that is worked on, nothing to do, a worker that does not start', async () => {
    await expect(label('undisturbed', { quality: 60 })).rejects.toThrow(/begun with quality 85, now it is 60/)
    await expect(label('undisturbed', { annotator: 'mine' })).rejects.toThrow(/begun with annotator/)
    const lock = join(root, 'undisturbed/.facekit-labels/lock-0-of-1')
    const other = await lockFile(lock, 'labels this share')
    await expect(label('undisturbed')).rejects.toThrow(LockError)
    await expect(removeLabels(join(root, 'undisturbed'))).rejects.toThrow(LockError)
    expect(await allFiles(join(root, 'undisturbed'))).toMatchObject(expected)
    await other.release()
    // One that is gone does not count.
    await leaveLock(lock)
    await expect(label('undisturbed')).resolves.toMatchObject({ before: COUNT + 2 })
    const twice = await Promise.allSettled([label('undisturbed'), label('undisturbed')])
    expect(twice.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    await expect(
      labelFolder(join(root, 'nowhere'), join(root, 'x'), { annotate: async () => [] }),
    ).rejects.toThrow(/nowhere cannot be read \(ENOENT\)/)
    await expect(label('x', { rank: 2, ranks: 2 })).rejects.toThrow(/rank is 2/)
    await expect(label('x', { worker: 'also' })).rejects.toThrow(/one of the options annotate and worker/)
    const lines = await spawnLabel(pictures, 'refused', { workerOptions: { refuse: true } })
    expect(lines.at(-1)).toBe('failed labelFolder: a worker cannot start (it does not want to)')
  })
})
