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
  it('value: the page escapes what it is given and names nothing outside of itself', () => {
    const page = encodeViewer(scene)
    expect(page).toContain('<title>A &lt;dome&gt; &amp; &quot;more&quot;</title>')
    expect(page).toContain('<dt>landmark error</dt><dd>1.2 %</dd>')
    expect(page).toContain('<a href="face.glb">face.glb</a>')
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//)
    expect(page.match(/<\/script/g)).toHaveLength(2)
  })

  it('throws: what it cannot show', () => {
    const light = scene.illumination
    expect(() => encodeViewer({ ...scene, illumination: { ...light, lightColor: [1] } })).toThrow(ShapeError)
    expect(() =>
      encodeViewer({ ...scene, illumination: { ...light, lightPosition: [1, 2, Number.NaN] } }),
    ).toThrow(ValueError)
    expect(() => encodeViewer({ ...scene, camera: { ...scene.camera, distance: 0 } })).toThrow(ValueError)
    expect(() =>
      encodeViewer({ ...scene, downloads: [{ label: 'x', href: 'javascript:alert(1)' }] }),
    ).toThrow(ValueError)
  })

  it('value: the bundle is what its script makes', async () => {
    const fresh = await bundleViewer()
    // Not toContain: the difference of half a million letters says nothing. Run scripts/build-viewer.ts.
    expect(encodeViewer(scene).includes(fresh)).toBe(true)
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
    await page.waitForFunction(() => document.documentElement.dataset.frames)
  })
  afterAll(async () => browser?.close())

  /** The canvas after what was done to the page has been drawn. */
  async function shot(): Promise<DecodedPng> {
    await page.evaluate(
      () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(0)))),
    )
    return decode(await page.locator('#stage').screenshot())
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

  it('value: each button shows something else, the dark mouth stays dark', async () => {
    await press('Lit')
    const shots = [await shot()]
    for (const mode of ['Shape', 'Diffuse', 'Specular']) {
      await press(mode)
      shots.push(await shot())
      expect(await page.getByRole('button', { name: mode, exact: true }).getAttribute('aria-pressed')).toBe(
        'true',
      )
    }
    for (let i = 0; i < 4; i++)
      for (let j = 0; j < i; j++) expect(difference(shots[i], shots[j])).toBeGreaterThan(3)
    const [, , diffuse, specular] = shots
    for (const [c, value] of [0.5, 0.35, 0.3].entries()) {
      expect(Math.abs(pixel(diffuse, 0.5, 0.5)[c] - 255 * value ** (1 / 2.2))).toBeLessThan(4)
    }
    expect(Math.abs(pixel(specular, 0.5, 0.5)[1] - 255 * 0.04 ** (1 / 2.2))).toBeLessThan(3)
    expect(Math.max(...pixel(diffuse, 0.48, 0.72))).toBeLessThan(60)
  })

  it('value: the light moves, by slider, by pad and by source, and comes back', async () => {
    await press('Lit')
    const before = await shot()
    await page.locator('#azimuth').fill('60')
    const moved = await shot()
    expect(difference(before, moved)).toBeGreaterThan(0.3)
    const box = (await page.locator('#pad').boundingBox())!
    await page.mouse.click(box.x + box.width * 0.2, box.y + box.height * 0.3)
    expect(Number(await page.locator('#azimuth').inputValue())).toBeLessThan(-40)
    expect(difference(moved, await shot())).toBeGreaterThan(0.3)
    await page.locator('#source').selectOption('lamp')
    expect(difference(before, await shot())).toBeGreaterThan(3)
    await press('Reset light')
    expect(difference(before, await shot())).toBe(0)
  })

  it('value: no light leaves a part of the face black or burnt out, wherever it comes from', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'facekit-viewer-'))
    const harsh = Array.from({ length: 27 }, (_, i) => (i < 3 ? 1.5 : i > 5 && i < 9 ? 1.2 : 0))
    const illumination = { ...scene.illumination, sphericalHarmonics: harsh }
    await writeHtmlReport({ ...scene, illumination }, join(folder, 'index.html'))
    await page.goto(pathToFileURL(join(folder, 'index.html')).href)
    await page.waitForFunction(() => document.documentElement.dataset.frames)
    const sources = await page
      .locator('#source option')
      .evaluateAll((options) => options.map((option) => (option as HTMLOptionElement).value))
    expect(sources.length).toBeGreaterThan(5)
    // The light of the photograph, too, though its harmonics are below zero behind the face.
    for (const source of sources) {
      await page.locator('#source').selectOption(source)
      for (const azimuth of [-90, 0, 90]) {
        await page.locator('#azimuth').fill(String(azimuth))
        const picture = await shot()
        for (const [x, y] of [
          [0.5, 0.4],
          [0.35, 0.5],
          [0.65, 0.5],
        ]) {
          const color = pixel(picture, x, y)
          expect([source, azimuth, Math.max(...color) > 15]).toEqual([source, azimuth, true])
          expect([source, azimuth, Math.min(...color) < 255]).toEqual([source, azimuth, true])
        }
      }
    }
    await page.goto(address)
    await page.waitForFunction(() => document.documentElement.dataset.frames)
  })

  it('value: the face turns by mouse and by key, and comes back', async () => {
    const before = await shot()
    const box = (await page.locator('#stage').boundingBox())!
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width / 2 + 80, box.y + box.height / 2 + 20, { steps: 4 })
    await page.mouse.up()
    const turned = await shot()
    expect(difference(before, turned)).toBeGreaterThan(2)
    await page.locator('#stage').press('ArrowRight')
    expect(difference(turned, await shot())).toBeGreaterThan(0.3)
    await press('Reset view')
    expect(difference(before, await shot())).toBe(0)
  })

  it('value: narrow screens scroll in one direction only', async () => {
    await page.setViewportSize({ width: 360, height: 740 })
    await shot()
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    expect(overflow).toBeLessThanOrEqual(0)
    const box = (await page.locator('#stage').boundingBox())!
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
    await page.waitForFunction(() => document.documentElement.dataset.frames)
    expect(pixel(await shot(), 0.5, 0.5)[0]).toBeGreaterThan(100)
  })

  it('value: nothing was asked of a network and nothing was complained about', () => {
    expect(requests.filter((url) => !url.startsWith('file:') && !url.startsWith('data:'))).toEqual([])
    expect(noise).toEqual([])
  })
})
