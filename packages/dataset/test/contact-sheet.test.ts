import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readPicture } from '@facekit/annotate'
import {
  createDataset,
  labelQuality,
  openDataset,
  writeContactSheet,
  writeShards,
  type SampleEntry,
} from '@facekit/dataset'
import { tinySample } from './tiny-samples.js'

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facekit-sheet-'))
  const samples = Array.from({ length: 12 }, (_, i) => ({
    ...tinySample(i),
    quality: { detection: 1 - i / 12, frontal: 0.95 },
    source: { picture: `a </script> & "b"/${i}.jpg`, width: 50, height: 40, face: 0, faces: 1 },
  }))
  await writeShards(samples, join(folder, 'faces'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('a contact sheet', () => {
  it('value: holds every face, what could not be read, and a program that is no victim of names', async () => {
    const dataset = await openDataset(join(folder, 'faces'))
    const broken: SampleEntry = {
      ...dataset.entries[3],
      key: 'lost',
      location: { shard: join(folder, 'gone.tar'), files: { json: [512, 10] } },
    }
    const all = createDataset([...dataset.entries, broken])
    const out = join(folder, 'sheet')
    const skipped = [{ picture: 'x & y.jpg', reason: 'no face found', empty: true }]
    const result = await writeContactSheet(all, out, { size: 24, title: '<faces>', skipped })
    expect(result).toEqual({ faces: 13, unreadable: [expect.stringMatching(/gone.tar/)] })
    expect((await readdir(out)).sort()).toEqual(['index.html', 'labels-0000.jpg', 'plain-0000.jpg'])
    expect((await readPicture(join(out, 'labels-0000.jpg'))).shape).toEqual([48, 240, 3])
    const page = await readFile(join(out, 'index.html'), 'utf8')
    expect(page).toContain('&lt;faces&gt;')
    expect(page).toContain('x &amp; y.jpg: no face found')
    expect(page.match(/<\/script>/g)?.length).toBe(2)
    const data = /<script type="application\/json" id="data">(.*)<\/script>/.exec(page)![1]
    const { rows, measures } = JSON.parse(data) as { rows: unknown[][]; measures: string[] }
    expect(rows.length).toBe(13)
    expect(measures).toEqual(['detection', 'frontal', 'readable'])
    expect(rows[2][2]).toBe('a </script> & "b"/2.jpg')
  })

  it.skipIf(!existsSync(CHROMIUM))('smoke: the page runs under its content security policy', async () => {
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
    try {
      const page = await browser.newPage()
      const problems: string[] = []
      page.on('pageerror', (error) => problems.push(error.message))
      page.on('console', (message) => void (message.type() === 'error' && problems.push(message.text())))
      const pictures: string[] = []
      page.on('requestfinished', (request) => void pictures.push(request.url()))
      await page.goto(pathToFileURL(join(folder, 'sheet/index.html')).href)
      expect(await page.locator('figure').count()).toBe(13)
      await page.locator('#plain').check()
      await expect.poll(() => pictures.filter((url) => url.endsWith('plain-0000.jpg')).length).toBe(1)
      expect(problems).toEqual([])
      // A script that got into the page would not run.
      await page.evaluate(() => {
        const script = document.createElement('script')
        script.textContent = 'document.title = "taken"'
        document.body.append(script)
      })
      expect(await page.title()).toBe('<faces>')
    } finally {
      await browser.close()
    }
  })

  it('value: of too many, half are the worst', async () => {
    const dataset = await openDataset(join(folder, 'faces'))
    const { faces } = await writeContactSheet(dataset, join(folder, 'few'), { size: 16, limit: 4 })
    expect(faces).toBe(4)
    const page = await readFile(join(folder, 'few/index.html'), 'utf8')
    expect(page).toContain('sample-0011')
    expect(page).toContain('sample-0010')
    expect(page).toContain('4 of 12 faces')
  })

  it('value: quality falls for what is small, cut off or turned away', () => {
    const sample = tinySample(0)
    const quality = (change: Partial<typeof sample.annotation>) =>
      labelQuality({ ...sample, annotation: { ...sample.annotation, ...change } })
    const transform = { scale: 1, rotation: 0, translation: [0, 0] as [number, number] }
    expect(quality({ transform })).toMatchObject({ detection: 0.9, resolution: 1, inside: 1 })
    expect(quality({ transform: { ...transform, scale: 4 } }).resolution).toBe(0.25)
    // Half of the crop lies left of the picture.
    expect(quality({ transform: { ...transform, translation: [16, 0] } }).inside).toBe(0.5)
  })
})
