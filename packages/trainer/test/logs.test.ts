import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { useBackend } from '@facekit/testing'
import { cosineSchedule, readTrainingLog, stepSchedule, warmup, writeTrainingReport } from '@facekit/trainer'
import ndarray from 'ndarray'
import { chromium } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { scratchFolder, trainTiny } from './training-fixtures.js'

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'

beforeAll(() => useBackend('wasm'))

describe('schedules', () => {
  it('value: cosine, steps, warm-up', () => {
    const cosine = cosineSchedule(1, 100, 0.2)
    expect([0, 50, 100, 1000].map(cosine)).toEqual([1, 0.6000000000000001, 0.2, 0.2])
    const steps = stepSchedule(1e-3, [1000, 2000], 0.5)
    expect([999, 1000, 2000].map(steps)).toEqual([1e-3, 5e-4, 2.5e-4])
    const warm = warmup(cosine, 4)
    expect(warm(0)).toBeCloseTo(0.25, 12)
    expect(warm(3)).toBeCloseTo(cosine(3), 12)
    expect(warmup(0.1, 0)(0)).toBe(0.1)
  })
})

/** Events of a file: payloads of its records, whose lengths must fit. */
function readRecords(path: string): Buffer[] {
  const file = readFileSync(path)
  const records: Buffer[] = []
  for (let at = 0; at < file.length;) {
    const length = Number(file.readBigUInt64LE(at))
    records.push(file.subarray(at + 12, at + 12 + length))
    at += length + 16
  }
  return records
}

describe('the folder of a training', () => {
  const folder = scratchFolder()
  const panel = ndarray(
    Uint8Array.from({ length: 48 }, (_, i) => 5 * i),
    [4, 4, 3],
  )

  beforeAll(async () => {
    await trainTiny({
      folder,
      logEvery: 2,
      clipNorm: 1,
      evaluate: { every: 6, run: async (iteration) => ({ error: 1 / iteration }) },
      panel: { every: 6, draw: async () => panel },
    })
  })

  it('value: event files are as TensorBoard 2 reads them', () => {
    const [name] = readdirSync(folder).filter((file) => file.startsWith('events.out.tfevents.'))
    const records = readRecords(join(folder, name))
    const texts = records.map((record) => record.toString('latin1'))
    expect(texts[0]).toContain('brain.Event:2')
    for (const tag of [
      'loss/total',
      'loss/square',
      'evaluation/error',
      'training/learning_rate',
      'training/gradient_norm',
    ])
      expect(texts.filter((text) => text.includes(tag)).length).toBeGreaterThan(1)
    expect(texts.filter((text) => text.includes('\x89PNG')).length).toBe(2)
  })

  it('value: records have the checksums of TFRecord', () => {
    const [name] = readdirSync(folder).filter((file) => file.startsWith('events.out.tfevents.'))
    const file = readFileSync(join(folder, name))
    // The first event is 26 bytes long; masked_crc32c of TensorBoard's own record writer gives this checksum.
    expect(file.subarray(0, 12).toString('hex')).toBe('1a00000000000000129bd82d')
  })

  it('value: a chart of one point has one mark', async () => {
    const single = join(folder, 'single')
    await trainTiny({ folder: single, evaluate: { every: 12, run: async () => ({ error: 0.5 }) } })
    const html = readFileSync(await writeTrainingReport(single), 'utf8')
    const chart = html.split('<figure>').find((figure) => figure.includes('held out: error'))!
    expect(chart.match(/>12<\/text>/g)).toHaveLength(1)
  })

  it('value: a log of someone else cannot put markup, scripts or other files into the report', async () => {
    const hostile = join(folder, 'hostile')
    mkdirSync(join(hostile, 'panels'), { recursive: true })
    writeFileSync(join(folder, 'secret.png'), 'secret')
    const mark = '<img src=x onerror=alert(1)>'
    const lines = [
      { iteration: 1, loss: 1, terms: { [mark]: 2, __proto__: 3 }, evaluation: { [mark]: 4 }, event: mark },
      { iteration: mark, loss: 1 },
      {
        iteration: 2,
        loss: mark,
        speed: mark,
        waitShare: { toString: 1 },
        terms: { a: mark },
        evaluation: [mark],
      },
      { iteration: 3, panel: '../secret.png' },
      { iteration: 4, panel: mark },
      { iteration: 5, panel: { toString: 1 } },
      { iteration: 6, event: 7 },
      null,
      [],
    ]
    writeFileSync(join(hostile, 'log.jsonl'), lines.map((line) => JSON.stringify(line)).join('\n'))
    const html = readFileSync(await writeTrainingReport(hostile), 'utf8')
    expect(html).not.toContain('<img')
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;')
    expect(html).not.toContain(Buffer.from('secret').toString('base64'))
    expect(html).toMatch(/<meta http-equiv="Content-Security-Policy" content="default-src 'none';/)
    expect(await readTrainingLog(join(hostile, 'log.jsonl'))).toHaveLength(6)
  })

  it.skipIf(!existsSync(CHROMIUM))('smoke: the report opens in Chromium, without a network', async () => {
    const path = await writeTrainingReport(folder)
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
    try {
      const page = await browser.newPage()
      const problems: string[] = []
      page.on('pageerror', (error) => problems.push(error.message))
      page.on('request', (request) => {
        if (!/^(file|data):/.test(request.url())) problems.push(request.url())
      })
      await page.goto(pathToFileURL(path).href)
      expect(await page.locator('svg').count()).toBe(7)
      expect(await page.locator('figure.panel img').count()).toBe(2)
      const width = await page
        .locator('figure.panel img')
        .first()
        .evaluate((image) => (image as HTMLImageElement).naturalWidth)
      expect(width).toBe(4)
      expect(await page.locator('dl').innerText()).toMatch(/iterations\s+12/)
      expect(problems).toEqual([])
    } finally {
      await browser.close()
    }
  })
})
