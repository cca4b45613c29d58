import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import sharp from 'sharp'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serve, type Site } from '../../../packages/facekit/test/sites.js'

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const require = createRequire(import.meta.url)
const photograph = require.resolve('@vladmandic/face-api/demo/sample1.jpg')
const axe = require.resolve('axe-core/axe.min.js')
/** As long as a face may take on a busy machine. */
const LONG = 110_000

describe.skipIf(!existsSync(CHROMIUM))('the page', () => {
  let folder: string
  let site: Site
  let browser: Browser
  let context: BrowserContext
  let page: Page
  const requests: string[] = []
  const errors: string[] = []

  const crop = () => sharp(photograph).extract({ left: 650, top: 280, width: 560, height: 560 }).resize(320)
  const give = async (picture: Buffer, name = 'me.jpg') =>
    page.locator('#file').setInputFiles({ name, mimeType: 'image/jpeg', buffer: picture })

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'facekit-web-'))
    await build({
      configFile: fileURLToPath(new URL('../vite.config.ts', import.meta.url)),
      logLevel: 'error',
      build: { outDir: folder, emptyOutDir: true, minify: false, reportCompressedSize: false },
    })
    site = await serve(folder)
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--use-fake-device-for-media-stream'],
    })
    context = await browser.newContext({ viewport: { width: 1280, height: 800 }, acceptDownloads: true })
    context.on('request', (request) => requests.push(request.url()))
    page = await context.newPage()
    page.on('pageerror', (error) => errors.push(error.message))
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
    await page.goto(site.address)
  }, 300_000)
  afterAll(async () => {
    await browser?.close()
    await site?.close()
    await rm(folder, { recursive: true, force: true })
  })

  /** What axe finds, in both colour schemes. */
  async function faults(): Promise<string[]> {
    const found: string[] = []
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      // The page's policy refuses foreign scripts; the debugger's are its own.
      await page.evaluate(await readFile(axe, 'utf8'))
      const violations = await page.evaluate(async () => {
        const { axe: checker } = globalThis as unknown as {
          axe: { run(): Promise<{ violations: { id: string; nodes: { target: string[] }[] }[] }> }
        }
        const { violations } = await checker.run()
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(', ')}`)
      })
      found.push(...violations.map((violation) => `${colorScheme} ${violation}`))
    }
    await page.emulateMedia({ colorScheme: 'light' })
    return found
  }

  it('value: the first page has no fault that axe knows, and nothing stands out on a phone', async () => {
    expect(await faults()).toEqual([])
    await page.setViewportSize({ width: 390, height: 844 })
    expect(await faults()).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
    await page.setViewportSize({ width: 1280, height: 800 })
  })

  it('value: a refused camera is told in plain words', async () => {
    await page.getByRole('button', { name: 'Use the camera' }).click()
    await page.getByText('The camera was not allowed').waitFor()
    expect(await faults()).toEqual([])
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  })

  it(
    'value: what has no face, and what is no picture, leads back to the first page with advice',
    async () => {
      await context.grantPermissions(['camera'])
      await page.getByRole('button', { name: 'Use the camera' }).click()
      await page.getByRole('button', { name: 'Take the picture' }).click()
      await page.getByText('No face found in this picture').waitFor({ timeout: LONG })
      await give(Buffer.from('only words'), 'words.jpg')
      await page.getByText('This file cannot be opened as a picture').waitFor({ timeout: LONG })
      expect(await faults()).toEqual([])
    },
    LONG,
  )

  it(
    'value: of ten faces one is chosen with the keyboard, and becomes a 3D face',
    async () => {
      const face = await crop().toBuffer()
      const places = Array.from({ length: 10 }, (_, i) => ({
        input: face,
        left: 320 * (i % 5),
        top: 320 * Math.floor(i / 5),
      }))
      const group = await sharp({ create: { width: 1600, height: 640, channels: 3, background: '#888' } })
        .composite(places)
        .jpeg()
        .toBuffer()
      await give(group, 'ten.jpg')
      const frames = page.locator('.frame')
      await frames.first().waitFor({ timeout: LONG })
      expect(await frames.count()).toBe(10)
      expect(await faults()).toEqual([])
      expect(await frames.first().evaluate((frame) => frame === document.activeElement)).toBe(true)
      await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      await page.getByRole('region', { name: 'Your 3D face' }).waitFor({ timeout: LONG })
      expect(await page.locator('#status').textContent()).toBe('The 3D face is ready')
    },
    2 * LONG,
  )

  it('value: what was found is shown without a fault, wide and narrow', async () => {
    for (const name of ['Look', 'Expression', 'Form', 'Save']) {
      await page.getByRole('tab', { name }).click()
      expect(await faults()).toEqual([])
    }
    await page.setViewportSize({ width: 390, height: 844 })
    expect(await faults()).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
    await page.setViewportSize({ width: 1280, height: 800 })
  })

  /** The stage's pixels, in 64 columns. */
  const look = async () => {
    const picture = await page.locator('.stage').screenshot()
    return sharp(picture).resize(64, 64, { fit: 'fill' }).removeAlpha().raw().toBuffer()
  }
  const difference = (a: Buffer, b: Buffer) =>
    a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length

  it('value: light, mode, slider, keys and the picture below each change what is seen', async () => {
    await page.getByRole('tab', { name: 'Look' }).click()
    let before = await look()
    const changed = async (what: string, change: () => Promise<unknown>) => {
      await change()
      await expect
        .poll(async () => difference(before, await look()), { timeout: 20_000, message: what })
        .toBeGreaterThan(0.5)
      before = await look()
    }
    await changed('light', () => page.getByLabel('From the side').check())
    await changed('mode', () => page.getByLabel('How sure').check())
    expect(await page.getByRole('group', { name: 'Light' }).isDisabled()).toBe(true)
    await changed('mode', () => page.getByLabel('Natural').check())
    await page.getByRole('tab', { name: 'Expression' }).click()
    expect(await page.getByRole('slider').count()).toBeGreaterThan(20)
    await changed('expression', () => page.getByLabel('Open the mouth').fill('1'))
    await changed('keys', async () => {
      await page.locator('.stage canvas').focus()
      for (let i = 0; i < 4; i++) await page.keyboard.press('ArrowRight')
    })
    await page.locator('#overlay').fill('1')
    const drawn = await page.locator('.overlay').evaluate((canvas: HTMLCanvasElement) =>
      canvas
        .getContext('2d')!
        .getImageData(0, 0, canvas.width, canvas.height)
        .data.some((value) => value > 0),
    )
    expect(drawn).toBe(true)
  })

  it('value: the files that are saved are what they say', async () => {
    await page.getByRole('tab', { name: 'Save' }).click()
    const save = async (name: RegExp) => {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name }).click(),
      ])
      return readFile((await download.path())!)
    }
    expect((await save(/^3D face/)).subarray(0, 4).toString()).toBe('glTF')
    expect(JSON.parse((await save(/^All numbers/)).toString()).expressionNames).toHaveLength(52)
    for (const name of [/^Skin colour/, /^Shine/, /^Fine relief/])
      expect(await sharp(await save(name)).metadata()).toMatchObject({
        format: 'png',
        width: 1024,
        height: 1024,
      })
    expect((await sharp(await save(/^This view/)).metadata()).width).toBeGreaterThan(400)
  })

  it('value: back leads to the first page, and forward to the face again', async () => {
    await page.goBack()
    await page.getByRole('heading', { name: 'Turn a picture into a 3D face' }).waitFor()
    await page.goForward()
    await page.getByRole('region', { name: 'Your 3D face' }).waitFor()
  })

  it(
    'value: it works without the internet, and nothing was ever asked of another site',
    async () => {
      await page.evaluate(() => navigator.serviceWorker.ready)
      await page.goto(site.address)
      await context.setOffline(true)
      await page.reload()
      await page.getByRole('button', { name: 'Try example 1' }).click()
      await page.getByRole('region', { name: 'Your 3D face' }).waitFor({ timeout: LONG })
      const elsewhere = requests.filter((url) => !url.startsWith(site.address) && !/^(blob|data):/.test(url))
      expect(elsewhere).toEqual([])
      expect(requests.length).toBeGreaterThan(10)
      // A failed look-up of the network for the page itself is what being offline means.
      expect(errors.filter((error) => !/ERR_INTERNET_DISCONNECTED/.test(error))).toEqual([])
    },
    2 * LONG,
  )
})
