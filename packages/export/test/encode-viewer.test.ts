import { existsSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ShapeError, ValueError } from '@facekit/core'
import { encodeViewer, writeHtmlReport, type ViewerScene } from '@facekit/export'
import { decode, type DecodedPng } from 'fast-png'
import ndarray from 'ndarray'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleViewer } from '../scripts/build-viewer.js'
import { createDome } from './dome.js'

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'

const dome = createDome()
// Light from above, with a little colour, and one of each band.
const harmonics = [3, 2.9, 2.8, 0.5, 0.5, 0.5, 0.6, 0.5, 0.4, -0.2, 0, 0.1, ...Array(15).fill(0.05)]
const scene: ViewerScene = {
  title: 'A <dome> & "more"',
  mesh: dome,
  camera: { fieldOfView: 2 * Math.atan(112 / 1015), distance: 1000, projection: 'perspective' },
  illumination: { sphericalHarmonics: harmonics, lightPosition: [300, 200, 900], lightColor: [4, 3.5, 3] },
  picture: ndarray(new Uint8Array(8 * 8 * 3).fill(120), [8, 8, 3]),
  metrics: { 'landmark error': '1.2 %', iterations: 10 },
  downloads: [{ label: 'face.glb', href: 'face.glb' }],
}

describe('encodeViewer', () => {
  it('value: the page escapes what it is given and names nothing outside of itself', async () => {
    const page = await encodeViewer(scene)
    expect(page).toContain('<title>A &lt;dome&gt; &amp; &quot;more&quot;</title>')
    expect(page).toContain('<dt>landmark error</dt><dd>1.2 %</dd>')
    expect(page).toContain('<a href="face.glb">face.glb</a>')
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//)
    expect(page.match(/<\/script/g)).toHaveLength(2)
  })

  it('throws: what it cannot show', async () => {
    const light = scene.illumination
    const bad: [Partial<ViewerScene>, typeof ShapeError | typeof ValueError][] = [
      [{ illumination: { ...light, lightColor: [1] } }, ShapeError],
      [{ illumination: { ...light, lightPosition: [1, 2, Number.NaN] } }, ValueError],
      [{ camera: { ...scene.camera, distance: 0 } }, ValueError],
      [{ downloads: [{ label: 'x', href: 'javascript:alert(1)' }] }, ValueError],
      [{ glb: { bytes: new Uint8Array(4), pose: [1] } }, ShapeError],
    ]
    for (const [change, error] of bad)
      await expect(encodeViewer({ ...scene, ...change })).rejects.toThrow(error)
  })

  it('value: the bundle is what its script makes', async () => {
    const fresh = await bundleViewer()
    // Not toContain: the difference of half a million letters says nothing. Run scripts/build-viewer.ts.
    expect((await encodeViewer(scene)).includes(fresh)).toBe(true)
  })
})

describe.skipIf(!existsSync(CHROMIUM))('the page in Chromium', () => {
  let browser: Browser
  let page: Page
  const noise: string[] = []
  const requests: string[] = []
  let address: string

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'facekit-viewer-'))
    await writeHtmlReport(scene, join(folder, 'index.html'))
    address = pathToFileURL(join(folder, 'index.html')).href
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
    })
    page = await browser.newPage({ viewport: { width: 1200, height: 900 }, hasTouch: true })
    page.on('console', (message) => noise.push(message.text()))
    page.on('pageerror', (error) => noise.push(error.message))
    page.on('request', (request) => requests.push(request.url()))
    await page.goto(address)
    await page.waitForFunction(() => document.documentElement.dataset.facekit)
  })
  afterAll(async () => browser?.close())

  /** The canvas after what was done to the page has been drawn. */
  async function shot(): Promise<DecodedPng> {
    await page.evaluate(() => document.querySelector('facekit-viewer')!.whenDrawn())
    return decode(await page.locator('canvas').screenshot())
  }

  const pixel = (picture: DecodedPng, x: number, y: number) => {
    const at =
      (Math.floor(y * picture.height) * picture.width + Math.floor(x * picture.width)) * picture.channels
    return [...picture.data.subarray(at, at + 3)]
  }

  const difference = (a: DecodedPng, b: DecodedPng) => {
    let sum = 0
    for (let i = 0; i < a.data.length; i++) sum += Math.abs(a.data[i] - b.data[i])
    return sum / a.data.length
  }

  const press = async (name: string) => page.getByRole('button', { name, exact: true }).click()

  it('value: the lit view is shaded as the reconstruction is', async () => {
    const picture = await shot()
    // The middle of the picture sees the top of the dome: normal +z at (0, 0, 90), albedo of the middle of the grid.
    const toLamp = [300, 200, 810].map((value) => value / Math.hypot(300, 200, 810))
    const halfway = [toLamp[0], toLamp[1], toLamp[2] + 1]
    const highlight = (halfway[2] / Math.hypot(...halfway)) ** 30
    const basis = [0.28209479, 0, 0.48860251, 0, 0, 0, 2 * 0.31539157, 0, 0]
    const expected = [0.5, 0.35, 0.3].map((diffuse, c) => {
      const irradiance = basis.reduce((sum, value, i) => sum + value * harmonics[3 * i + c], 0)
      const specular = [0.045, 0.04, 0.04][c] * [4, 3.5, 3][c] * highlight
      return 255 * (diffuse * irradiance + specular) ** (1 / 2.2)
    })
    for (const [c, value] of pixel(picture, 0.5, 0.5).entries()) {
      expect(Math.abs(value - expected[c])).toBeLessThan(3)
    }
  })

  it('value: modes, lights and views are those of the viewer, and come back', async () => {
    const before = await shot()
    await press('Diffuse')
    const diffuse = await shot()
    for (const [c, value] of [0.5, 0.35, 0.3].entries()) {
      expect(Math.abs(pixel(diffuse, 0.5, 0.5)[c] - 255 * value ** (1 / 2.2))).toBeLessThan(4)
    }
    // The dark mouth stays dark.
    expect(Math.max(...pixel(diffuse, 0.48, 0.72))).toBeLessThan(60)
    await press('Lit')
    await page.getByLabel('To the side').fill('60')
    expect(difference(before, await shot())).toBeGreaterThan(0.3)
    await page.getByLabel('Light', { exact: true }).selectOption('daylight')
    await press('Reset light')
    expect(difference(before, await shot())).toBeGreaterThan(3)
    await page.getByLabel('Light', { exact: true }).selectOption('photograph')
    await page.locator('canvas').press('ArrowRight')
    expect(difference(before, await shot())).toBeGreaterThan(0.3)
    await press('Reset view')
    expect(difference(before, await shot())).toBe(0)
  })

  it('value: the photograph stands beside the face, or under it with a slider', async () => {
    const photograph = page.getByRole('img', { name: 'The photograph' })
    expect(await photograph.isVisible()).toBe(true)
    await press('Over it')
    expect(await photograph.isVisible()).toBe(false)
    const slider = page.getByRole('slider', { name: /Photograph on the left/ })
    await slider.fill('100')
    const stage = page.locator('.stage')
    // All photograph: grey 120, but for the line at the end.
    const covered = decode(await stage.screenshot())
    expect(pixel(covered, 0.5, 0.5)).toEqual([120, 120, 120])
    await slider.fill('0')
    expect(difference(covered, decode(await stage.screenshot()))).toBeGreaterThan(3)
    await press('Beside')
  })

  it('value: narrow screens scroll in one direction only', async () => {
    await page.setViewportSize({ width: 360, height: 740 })
    await shot()
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    expect(overflow).toBeLessThanOrEqual(0)
    const box = (await page.locator('canvas').boundingBox())!
    expect(Math.abs(box.width - box.height)).toBeLessThan(1)
    await page.setViewportSize({ width: 1200, height: 900 })
  })

  it('value: weak perspective, no picture and no mouth are shown, too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'facekit-viewer-'))
    const { innerMouthTriangles: _, ...mesh } = dome
    const plain = { ...scene, mesh, picture: undefined, metrics: undefined, downloads: undefined }
    const camera = { ...scene.camera, projection: 'weak-perspective' as const }
    await writeHtmlReport({ ...plain, camera }, join(folder, 'index.html'))
    await page.goto(pathToFileURL(join(folder, 'index.html')).href)
    await page.waitForFunction(() => document.documentElement.dataset.facekit)
    expect(pixel(await shot(), 0.5, 0.5)[0]).toBeGreaterThan(100)
  })

  it('value: nothing was asked of a network and nothing was complained about', () => {
    expect(requests.filter((url) => !url.startsWith('file:') && !url.startsWith('data:'))).toEqual([])
    expect(noise).toEqual([])
  })
})
