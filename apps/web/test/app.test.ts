import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHROMIUM, hasChromium, inspect, serveApp, type AppSite } from './app-page.js'

const example = (number: number) =>
  fileURLToPath(new URL(`../public/examples/${number}.jpg`, import.meta.url))
const file = (name: string, buffer: Buffer) => ({ name, mimeType: 'image/jpeg', buffer })

/** What the fake camera films: the first example, as a video of JPEGs. */
const film = join(tmpdir(), `facekit-film-${process.pid}.mjpeg`)

describe.skipIf(!hasChromium)('the app in Chromium', { timeout: 600_000 }, () => {
  let site: AppSite
  let browser: Browser
  let context: BrowserContext
  let page: Page
  /** Addresses that were asked for from anywhere but the page's own server. */
  const foreign: string[] = []
  const errors: string[] = []
  let couple: Buffer

  async function open(of: BrowserContext): Promise<Page> {
    const opened = await of.newPage()
    opened.on('pageerror', (error) => errors.push(error.message))
    await opened.goto(site.address)
    return opened
  }

  async function newContext(permissions: string[] = []): Promise<BrowserContext> {
    const made = await browser.newContext({ permissions, reducedMotion: 'reduce' })
    made.setDefaultTimeout(240_000)
    made.on('request', (request) => {
      const own = [site.address, 'blob:', 'data:'].some((start) => request.url().startsWith(start))
      if (!own) foreign.push(request.url())
    })
    return made
  }

  const heading = (of: Page) => of.getByRole('heading', { name: 'Turn a picture into a 3D face' })
  const result = (of: Page) => of.getByRole('region', { name: 'Your 3D face' })
  const give = (of: Page, ...pictures: Parameters<Page['setInputFiles']>[1][]) =>
    of.setInputFiles('#file', pictures.flat() as string[])

  /** What a button of the pane `Save` gives. */
  async function download(title: string): Promise<Buffer> {
    const started = page.waitForEvent('download')
    await page.getByRole('button', { name: title }).press('Enter')
    return readFile(await (await started).path())
  }

  beforeAll(async () => {
    const faces = await Promise.all(
      [240, 300].map((side, i) =>
        sharp(example(i + 1))
          .resize(side, side)
          .toBuffer(),
      ),
    )
    couple = await sharp({ create: { width: 700, height: 300, channels: 3, background: '#8a8f94' } })
      .composite(faces.map((input, i) => ({ input, left: 400 * i, top: 0 })))
      .jpeg()
      .toBuffer()
    const frame = await sharp(example(1))
      .resize(480, 480)
      .extend({ left: 80, right: 80, background: '#777' })
      .jpeg()
      .toBuffer()
    await writeFile(film, Buffer.concat(Array.from({ length: 10 }, () => frame)))
    site = await serveApp()
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: [
        '--no-sandbox',
        '--use-fake-device-for-media-stream',
        `--use-file-for-fake-video-capture=${film}`,
      ],
    })
    context = await newContext()
    page = await open(context)
  }, 600_000)
  afterAll(async () => {
    await browser?.close()
    await site?.close()
    await rm(film, { force: true })
  })

  it('value: the first page, to everybody and in all sizes', async () => {
    await heading(page).waitFor()
    await inspect(page, 'start')
  })

  it('value: from a picture of two people to files, by the keyboard alone', async () => {
    const opened = page.waitForEvent('filechooser')
    await page.getByLabel('Choose a picture').focus()
    await page.keyboard.press('Enter')
    await (await opened).setFiles(file('couple.jpg', couple))
    const second = page.getByRole('button', { name: 'Face 2 of 2' })
    await second.waitFor()
    await inspect(page, 'choose')
    const promised = await page.getByText('The first time').textContent()
    await page.keyboard.press('Tab')
    expect(await second.evaluate((button) => button === document.activeElement)).toBe(true)
    await page.keyboard.press('Enter')
    await result(page).waitFor()
    await inspect(page, 'look')
    // The large detector is kept for pictures in which the small one finds nobody, and for later without a network.
    const loaded = [...site.bytes].filter(
      ([path]) => /\.(gz|wasm)$/.test(path) && !path.endsWith('/face-detector.safetensors.gz'),
    )
    expect(loaded).toHaveLength(6)
    const megabytes = loaded.reduce((sum, [, length]) => sum + length, 0) / 1e6
    expect(promised).toContain(`about ${Math.round(megabytes)} MB are loaded`)

    const canvas = page.getByRole('img', { name: 'The 3D face' })
    const front = await canvas.screenshot()
    await canvas.press('ArrowLeft')
    expect((await canvas.screenshot()).equals(front)).toBe(false)
    await page.getByRole('tab', { name: 'Look' }).press('ArrowRight')
    await page.getByRole('slider', { name: 'Open the mouth' }).press('End')
    await inspect(page, 'expression')
    await page.getByRole('tab', { name: 'Expression' }).press('End')
    await inspect(page, 'save')

    const glb = await download('3D face for Blender')
    expect(glb.subarray(0, 4).toString()).toBe('glTF')
    const usdz = await download('3D face for iPhone and Mac')
    expect(usdz.subarray(0, 2).toString()).toBe('PK')
    const parameters = JSON.parse((await download('All numbers')).toString())
    expect(parameters).toMatchObject({ face: 2, picture: { width: 700, height: 300 } })
    // The larger face is the first, and on the right.
    expect(parameters.box.x + parameters.box.width / 2).toBeLessThan(300)
    const map = await sharp(await download('Skin colour')).metadata()
    expect([map.format, map.width]).toEqual(['png', 128])
  })

  it('value: the whole head, or the face alone, in every light; back and forward in the history', async () => {
    const canvas = page.getByRole('img', { name: 'The 3D face' })
    const whole = page.getByRole('button', { name: 'Whole head' })
    expect(await whole.getAttribute('aria-pressed')).toBe('true')
    const head = await canvas.screenshot()
    await whole.press('Enter')
    await expect.poll(async () => (await canvas.screenshot()).equals(head), { timeout: 60_000 }).toBe(false)
    await page.getByRole('tab', { name: 'Save' }).press('Home')
    const seen = new Set<string>()
    for (const light of ['As in the picture', 'Studio', 'Sunset', 'From the side']) {
      await page.getByRole('radio', { name: light }).check({ force: true })
      seen.add((await canvas.screenshot()).toString('base64'))
    }
    expect(seen.size).toBe(4)
    await page.goBack()
    await heading(page).waitFor()
    await page.goForward()
    await result(page).waitFor()
  })

  it('value: of ten people each can be chosen', async () => {
    const faces = await Promise.all(
      Array.from({ length: 10 }, () => sharp(example(1)).resize(300, 300).toBuffer()),
    )
    const crowd = await sharp({ create: { width: 2000, height: 800, channels: 3, background: '#8a8f94' } })
      .composite(
        faces.map((input, i) => ({ input, left: 50 + 400 * (i % 5), top: 50 + 400 * Math.floor(i / 5) })),
      )
      .jpeg()
      .toBuffer()
    await page.goto(site.address)
    await give(page, file('crowd.jpg', crowd))
    await page.getByRole('button', { name: 'Face 10 of 10' }).waitFor()
    await inspect(page, 'crowd')
    await page.getByRole('button', { name: 'Stop' }).click()
    await heading(page).waitFor()
  })

  it('value: another face, of two pictures, asks for nothing, and nothing ever leaves', async () => {
    await page.goto(site.address)
    // From then on everything is there.
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => true))
    const before = [...site.requests]
    const mirrored = file('mirrored.jpg', await sharp(example(3)).flop().jpeg().toBuffer())
    await give(page, file('3.jpg', await readFile(example(3))), mirrored)
    await result(page).waitFor()
    await page.getByAltText('Picture 2 of the same person').waitFor()
    // The browser looks on its own whether the service worker has changed.
    const asked = site.requests.slice(before.length).filter((path) => path !== '/service-worker.js')
    expect(asked).toEqual([])
    expect(foreign).toEqual([])
  })

  it('throws: says what to do with a picture without a face, and with what is no picture', async () => {
    const wall = await sharp({ create: { width: 320, height: 240, channels: 3, background: '#7a8894' } })
      .jpeg()
      .toBuffer()
    await page.goto(site.address)
    await give(page, file('wall.jpg', wall))
    await page.getByRole('alert').getByText('No face found in this picture').waitFor()
    await inspect(page, 'no-face')
    await give(page, file('words.jpg', Buffer.from('only words')))
    await page.getByRole('alert').getByText('This file cannot be opened as a picture').waitFor()
  })

  it('value: the camera takes a picture; where it is refused, the page says what to do', async () => {
    await page.goto(site.address)
    await page.getByRole('button', { name: 'Use the camera' }).click()
    await page.getByText('The camera was not allowed').waitFor()
    await inspect(page, 'refused')
    await page.getByRole('button', { name: 'Cancel' }).click()
    await context.grantPermissions(['camera'])
    await page.getByRole('button', { name: 'Use the camera' }).click()
    await page.getByRole('button', { name: 'Take the picture' }).click()
    await result(page).waitFor()
  })

  it('value: live, the face of somebody before the camera moves the face', async () => {
    const canvas = page.getByRole('img', { name: 'The 3D face' })
    const before = await canvas.screenshot()
    await page.getByRole('button', { name: 'Move it yourself' }).press('Enter')
    await page.getByText('Move your head and your face.').waitFor()
    expect((await canvas.screenshot()).equals(before)).toBe(false)
    await inspect(page, 'live')
    await page.getByRole('button', { name: 'Move it yourself' }).press('Enter')
    await page.getByRole('slider', { name: '3D face over it' }).waitFor()
  })

  it('value: without a network, with a reload in the middle, in two tabs at once', async () => {
    await site.close()
    const other = await open(context)
    await give(page, example(2)).catch(() => undefined)
    await page.reload()
    await Promise.all(
      [page, other].map(async (tab) => {
        await heading(tab).waitFor()
        await give(tab, example(2))
        await result(tab).waitFor()
      }),
    )
    expect(errors).toEqual([])
    expect(foreign).toEqual([])
  })
})
