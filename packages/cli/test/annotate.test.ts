import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDataset } from '@facekit/dataset'
import { ownPictureText, writePng } from '@facekit/export'
import ndarray from 'ndarray'
import { photograph, writeCrop } from './pictures.js'
import { run } from './run-in-process.js'
import { spawnCli } from './spawn-cli.js'

/** Two faces of a photograph of four. */
const PEOPLE = {
  Ann: { x: 1385, y: 160, width: 410, height: 500 },
  Bob: { x: 120, y: 320, width: 460, height: 580 },
}

let root: string
let folder: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'facekit-annotate-'))
  folder = join(root, 'photos')
  await mkdir(join(folder, 'nobody'), { recursive: true })
  await writeFile(join(folder, 'nobody/broken.jpg'), 'no picture')
})
afterAll(() => rm(root, { recursive: true, force: true }))

describe('facekit annotate', () => {
  it('value: interrupted it goes on; labels, report, sheet; a bad photograph is listed and gives exit code 1', async () => {
    for (const [person, box] of Object.entries(PEOPLE)) {
      await mkdir(join(folder, person), { recursive: true })
      await writeCrop(photograph(6), join(folder, person, '10.png'), box)
    }
    // What facekit made is passed over, and so is a folder that leads back here.
    await writePng(ndarray(new Uint8Array(300), [10, 10, 3]), join(folder, 'panels.png'), {
      text: ownPictureText,
    })
    await symlink(folder, join(folder, 'back'))
    const out = join(root, 'labels')
    const command = ['annotate', folder, '-o', out, '--workers', '1']
    const interrupted = await spawnCli(command, (text, child) => {
      if (text.includes('labelling')) child.kill('SIGINT')
    })
    expect(interrupted.code).toBe(130)
    expect(interrupted.stderr).toMatch(
      /0 of 4 photographs are labelled; the same command goes on\n.*interrupted/,
    )
    const { code, stdout, stderr } = await spawnCli(command)
    expect(code).toBe(1)
    expect(stderr).toMatch(/facekit: nobody\/broken.jpg: not a picture/)
    expect(stdout).toBe(`${folder}: 2 faces in 4 photographs (1 without a face, 1 bad): ${out}\n`)
    const report = JSON.parse(await readFile(join(out, 'report.json'), 'utf8'))
    expect(report).toMatchObject({
      pictures: 4,
      faces: 2,
      empty: [{ picture: 'panels.png', reason: 'was written by facekit' }],
      bad: [{ picture: 'nobody/broken.jpg' }],
    })
    const dataset = await openDataset(out)
    expect(dataset.identities).toEqual(Object.keys(PEOPLE))
    expect((await dataset.read(0)).image.shape).toEqual([224, 224, 3])
    const page = await readFile(join(out, 'label-sheet/index.html'), 'utf8')
    expect(page).toContain('Ann/10.png')
    expect(page).toContain('nobody/broken.jpg')
    // Nothing is left to do, and it is said for machines.
    const again = await run([...command, '--json'])
    expect(again.code).toBe(1)
    const events = again.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(events[0]).toEqual({ event: 'start', done: 4, total: 4 })
    expect(events.at(-1)).toMatchObject({ event: 'end', before: 4, complete: true, faces: 2, empty: 1 })
    const other = await run([...command, '--quality', '50'])
    expect(other.stderr).toMatch(/begun with quality 85, now it is 50/)
    // Two starts of the whole command from source, which a busy machine takes its time for.
  }, 300_000)
})

describe('facekit annotate', () => {
  it('throws: what cannot work, in one line', async () => {
    for (const [options, message] of [
      [[join(root, 'nowhere')], /nowhere: cannot be read \(ENOENT\), expected a photograph or a folder/],
      [[folder, '--rank', '1'], /--rank and --ranks: one is missing/],
      [[folder, '--rank', '2', '--ranks', '2'], /--rank is 2 of 2/],
      [[folder, '--force', '--rank', '1', '--ranks', '2'], /--force/],
      [[folder, '--min-score', '2'], /from 0 to 1/],
      [[folder, '--list', join(root, 'no-list')], /--list: .* cannot be read/],
    ] as const) {
      const { code, stderr } = await run(['annotate', ...options, '-o', join(root, 'x')])
      expect(code).toBe(1)
      expect(stderr).toMatch(message)
      expect(stderr.trim().split('\n').length).toBe(1)
    }
  })

  it('value: takes its share from mpiexec', async () => {
    const env = { PMI_RANK: '7', PMI_SIZE: '4' }
    const { stderr } = await run(['annotate', folder, '-o', join(root, 'x')], { env })
    expect(stderr).toMatch(/--rank is 7 of 4/)
  })
})
