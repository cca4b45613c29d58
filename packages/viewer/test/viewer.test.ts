import { existsSync } from 'node:fs'
import type { Server } from 'node:http'
import { gzipSync } from 'node:zlib'
import { encodePng } from '@facekit/export'
import { FaceViewerElement } from '@facekit/viewer'
import { decode, type DecodedPng } from 'fast-png'
import ndarray from 'ndarray'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createFiles } from './faces.js'
import { bundleViewer, servePages } from './viewer-page.js'

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'

let bundle: Uint8Array
beforeAll(async () => {
  bundle = await bundleViewer()
})

describe('@facekit/viewer', () => {
  it('smoke: it can be imported where there are no elements', () => {
    expect(FaceViewerElement.observedAttributes).toContain('src')
  })

  it('value: minified and gzipped it has at most 200 kB, three.js included', () => {
    expect(gzipSync(bundle, { level: 9 }).length).toBeLessThan(200_000)
  })
})

describe.skipIf(!existsSync(CHROMIUM))('<facekit-viewer> in Chromium', { timeout: 600_000 }, () => {
  let browser: Browser
  let page: Page
  let server: Server
  let address: string
  const noise: string[] = []
  const requests: string[] = []

  beforeAll(async () => {
    const grey = (value: number) => encodePng(ndarray(new Uint8Array(8 * 8 * 3).fill(value), [8, 8, 3]))
    const files = {
      ...(await createFiles()),
      'poster.png': grey(90),
      'photo.png': grey(120),
      'empty.png': grey(0),
    }
    ;({ server, address } = await servePages({ ...files, 'viewer.js': bundle }))
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
    })
    page = await open('src=face.glb&controls')
  }, 600_000)
  afterAll(async () => {
    await browser?.close()
    server?.close()
  })

  /** A page with an element, once its face is there. */
  async function open(query: string, options: Parameters<Browser['newPage']>[0] = {}): Promise<Page> {
    const opened = await browser.newPage({ viewport: { width: 300, height: 400 }, ...options })
    // A busy machine draws without a GPU for minutes.
    opened.setDefaultTimeout(300_000)
    opened.on('console', (message) => noise.push(message.text()))
    opened.on('pageerror', (error) => noise.push(error.message))
    opened.on('request', (request) => requests.push(request.url().slice(address.length)))
    await opened.goto(address + '?' + query)
    await opened.waitForFunction(() =>
      document.querySelector('facekit-viewer')!.shadowRoot?.querySelector('.gone'),
    )
    return opened
  }

  /** What the canvas shows; not a screenshot, which takes the browser longer than the face. */
  async function shot(where = page): Promise<DecodedPng> {
    const base64 = await where.evaluate(async () => {
      const blob = await document.querySelector('facekit-viewer')!.toBlob()
      const bytes = new Uint8Array(await blob!.arrayBuffer())
      return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
    })
    return decode(Buffer.from(base64, 'base64'))
  }
  const set = (properties: Partial<FaceViewerElement>, where = page) =>
    where.evaluate(
      (values) => {
        Object.assign(document.querySelector('facekit-viewer')!, values)
      },
      properties as Record<string, unknown>,
    )
  const difference = (a: DecodedPng, b: DecodedPng) => {
    let sum = 0
    for (let i = 0; i < a.data.length; i++) sum += Math.abs(a.data[i] - b.data[i])
    return sum / a.data.length
  }
  const pixel = ({ width, height, channels, data }: DecodedPng, x: number, y: number) => {
    const at = (Math.floor(y * height) * width + Math.floor(x * width)) * channels
    return [...data.subarray(at, at + 3)]
  }

  it('value: every mode shows something else; diffuse and specular are the albedos', async () => {
    const shots: Record<string, DecodedPng> = {}
    const modes = await page.evaluate(() => document.querySelector('facekit-viewer')!.modes)
    expect(modes).toEqual(['lit', 'diffuse', 'specular', 'normals', 'shape', 'wireframe', 'uncertainty'])
    for (const mode of modes) {
      await set({ mode })
      shots[mode] = await shot()
      const alike = Object.keys(shots).filter(
        (other) => other !== mode && difference(shots[other], shots[mode]) < 3,
      )
      expect([mode, alike]).toEqual([mode, []])
    }
    for (const [c, value] of [0.45, 0.3, 0.24].entries())
      expect(Math.abs(pixel(shots.diffuse, 0.5, 0.5)[c] - 255 * value ** (1 / 2.2))).toBeLessThan(4)
    expect(Math.abs(pixel(shots.specular, 0.5, 0.5)[0] - 255 * 0.16 ** (1 / 2.2))).toBeLessThan(4)
    // 0 mm on the left, 5 on the right: from violet to yellow.
    expect(pixel(shots.uncertainty, 0.25, 0.5)[2]).toBeGreaterThan(pixel(shots.uncertainty, 0.25, 0.5)[1])
    expect(pixel(shots.uncertainty, 0.75, 0.5)[1]).toBeGreaterThan(pixel(shots.uncertainty, 0.75, 0.5)[2])
    await set({ mode: 'lit' })
  })

  it('value: no light leaves a part black or burnt out, wherever it comes from', async () => {
    const before = await shot()
    const harmonics = Array.from({ length: 27 }, (_, i) => (i < 3 ? 1.5 : i > 5 && i < 9 ? 1.2 : 0))
    const illumination = {
      sphericalHarmonics: harmonics,
      lightPosition: [300, 200, 900],
      lightColor: [4, 3, 3],
      shininess: 30,
    }
    await set({ capture: { camera: { fieldOfView: 0.22, distance: 1000 }, illumination } })
    const lights = await page.evaluate(() => document.querySelector('facekit-viewer')!.lights)
    expect(lights[0]).toBe('photograph')
    for (const light of lights) {
      for (const azimuth of [-90, 90]) {
        await set({ light, lighting: { azimuth } as FaceViewerElement['lighting'] })
        const picture = await shot()
        for (const x of [0.35, 0.5, 0.65]) {
          const color = pixel(picture, x, 0.45)
          expect([light, azimuth, Math.max(...color) > 15, Math.min(...color) < 255]).toEqual([
            light,
            azimuth,
            true,
            true,
          ])
        }
      }
    }
    await set({
      capture: undefined,
      light: 'studio',
      lighting: { azimuth: 0 } as FaceViewerElement['lighting'],
    })
    expect(difference(before, await shot())).toBe(0)
  })

  it('value: the light of the photograph wears its shading; turned away, or another light, does not', async () => {
    const own = await open('src=shaded.glb')
    const [left, right] = [0.25, 0.75]
    const ratio = async () => {
      const picture = await shot(own)
      return Math.max(...pixel(picture, left, 0.5)) / Math.max(...pixel(picture, right, 0.5))
    }
    expect(await own.evaluate(() => document.querySelector('facekit-viewer')!.lights[0])).toBe('photograph')
    await set({ light: 'photograph' }, own)
    expect(Math.abs((await ratio()) - 0.5 ** (1 / 2.2))).toBeLessThan(0.01)
    await set({ mode: 'diffuse' }, own)
    expect(await ratio()).toBe(1)
    await set({ mode: 'lit', lighting: { azimuth: 35 } as FaceViewerElement['lighting'] }, own)
    expect(Math.abs((await ratio()) - 0.5 ** (0.5 / 2.2))).toBeLessThan(0.01)
    await set({ lighting: { azimuth: 90 } as FaceViewerElement['lighting'] }, own)
    expect(await ratio()).toBe(1)
    await set({ light: 'studio', lighting: { azimuth: 0 } as FaceViewerElement['lighting'] }, own)
    const studio = await shot(own)
    await own.evaluate(() => {
      const viewer = document.querySelector('facekit-viewer')!
      const { shading: _, ...illumination } = viewer.capture!.illumination
      viewer.capture = { ...viewer.capture!, illumination }
    })
    expect(difference(studio, await shot(own))).toBe(0)
    await own.close()
  })

  it('value: it turns by mouse, touch and key, and tells in words where it is seen from', async () => {
    const before = await shot()
    const label = () => page.locator('canvas').getAttribute('aria-label')
    expect(await label()).toContain('from the front')
    const box = (await page.locator('canvas').boundingBox())!
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2]
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + 80, y + 10, { steps: 4 })
    await page.mouse.up()
    const turned = await shot()
    expect(difference(before, turned)).toBeGreaterThan(2)
    expect(await label()).toMatch(/degrees from the left/)
    await page.locator('canvas').press('ArrowRight')
    await page.locator('canvas').press('+')
    expect(difference(turned, await shot())).toBeGreaterThan(0.3)
    await page.locator('canvas').press('Home')
    expect(difference(before, await shot())).toBe(0)
    const devtools = await page.context().newCDPSession(page)
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', at?: number) =>
      devtools.send('Input.dispatchTouchEvent', { type, touchPoints: at === undefined ? [] : [{ x: at, y }] })
    await touch('touchStart', x)
    for (const step of [20, 50, 90]) await touch('touchMove', x + step)
    await touch('touchEnd')
    expect(difference(before, await shot())).toBeGreaterThan(2)
    await page.getByRole('button', { name: 'Reset view' }).click()
    expect(difference(before, await shot())).toBe(0)
  })

  it('value: sliders move what extras.targetNames names, and go back', async () => {
    const morphing = await open('src=morph.glb&controls')
    const before = await shot(morphing)
    expect(await morphing.evaluate(() => document.querySelector('facekit-viewer')!.modes)).not.toContain(
      'uncertainty',
    )
    await morphing.getByText('Expression').click()
    const changes = morphing.evaluate(
      () =>
        new Promise((done) =>
          document
            .querySelector('facekit-viewer')!
            .addEventListener('change', () => done(true), { once: true }),
        ),
    )
    await morphing.getByLabel('jaw open').fill('1')
    expect(await changes).toBe(true)
    expect(difference(before, await shot(morphing))).toBeGreaterThan(3)
    expect(await morphing.evaluate(() => document.querySelector('facekit-viewer')!.morphWeights)).toEqual({
      jawOpen: 1,
    })
    await morphing.getByRole('button', { name: 'Relax' }).click()
    expect(difference(before, await shot(morphing))).toBe(0)
    await morphing.close()
  })

  it('value: the turntable turns, and waits to be asked where people want less motion', async () => {
    const moves = async (reducedMotion: 'no-preference' | 'reduce') => {
      const turning = await open('src=face.glb&turntable&controls', { reducedMotion })
      const isTurning = () => turning.evaluate(() => document.querySelector('facekit-viewer')!.turntable)
      const atFirst = await isTurning()
      const before = await shot(turning)
      await turning.waitForTimeout(300)
      const moved = difference(before, await shot(turning))
      if (!atFirst) await turning.getByRole('button', { name: 'Turntable' }).click()
      const inTheEnd = await isTurning()
      await turning.close()
      return { atFirst, moved: moved > 0.3, inTheEnd }
    }
    expect(await moves('no-preference')).toEqual({ atFirst: true, moved: true, inTheEnd: true })
    expect(await moves('reduce')).toEqual({ atFirst: false, moved: false, inTheEnd: true })
  })

  it('throws: files that are none, as an event and as text, and the face before stays', async () => {
    const before = await shot()
    const fail = (src: string) =>
      page.evaluate((name) => {
        const viewer = document.querySelector('facekit-viewer')!
        return new Promise<string>((done) => {
          viewer.addEventListener(
            'error',
            (event) => done((event as unknown as CustomEvent<Error>).detail.message),
            { once: true },
          )
          viewer.src = name
        })
      }, src)
    expect(await fail('missing.glb')).toContain('HTTP status 404')
    expect(await fail('text.glb')).toContain('not a .glb file')
    expect(await fail('short.glb')).toContain('cut off')
    expect(await fail('outside.glb')).toContain('outside of itself')
    expect(await fail('huge.glb')).toContain('more than')
    expect(await fail('draco.glb')).toContain('KHR_draco_mesh_compression')
    expect(await fail('empty.glb')).toContain('no mesh')
    expect(await page.getByRole('alert').textContent()).toContain(
      'The face cannot be shown. the file holds no mesh',
    )
    await page.evaluate(() => {
      const viewer = document.querySelector('facekit-viewer')!
      return new Promise((done) => {
        viewer.addEventListener('load', done, { once: true })
        viewer.src = 'face.glb'
      })
    })
    expect(await page.getByRole('alert').isVisible()).toBe(false)
    expect(difference(before, await shot())).toBe(0)
    // The browser itself reports the status.
    expect(noise.splice(0)).toEqual([
      'Failed to load resource: the server responded with a status of 404 (Not Found)',
    ])
  })

  it('memory: taken out it lets its context go, put in again it shows the same', async () => {
    const before = await shot()
    await page.evaluate(async () => {
      const viewer = document.querySelector('facekit-viewer')!
      // More than the 16 contexts that Chromium allows at once.
      for (let i = 0; i < 18; i++) {
        viewer.remove()
        await new Promise((done) => setTimeout(done))
        const loaded = new Promise((done) => viewer.addEventListener('load', done, { once: true }))
        document.body.append(viewer)
        await loaded
      }
      document.body.prepend(viewer)
    })
    expect(difference(before, await shot())).toBe(0)
  })

  it('value: a poster is seen until the face is there; a photograph goes beside or under it', async () => {
    const other = await open('src=face.glb&poster=poster.png&photograph=photo.png&compare=over')
    expect(await other.locator('.poster').evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBe(
      8,
    )
    expect(await other.getByRole('slider').count()).toBe(1)
    await set({ wipe: 100 }, other)
    expect(pixel(decode(await other.locator('.stage').screenshot()), 0.5, 0.5)).toEqual([120, 120, 120])
    await set({ compare: 'beside' }, other)
    expect(await other.getByRole('img', { name: 'The photograph' }).isVisible()).toBe(true)
    const png = await other.evaluate(
      async () => (await document.querySelector('facekit-viewer')!.toBlob())!.size,
    )
    expect(png).toBeGreaterThan(500)
    await other.close()
  })

  it('value: on a phone nothing is wider than the page', async () => {
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(
      0,
    )
  })

  it('value: it asked for nothing but what its attributes name, under a strict policy, without a complaint', () => {
    const asked = new Set(requests.filter((name) => !name.startsWith('?') && !name.endsWith('.glb')))
    expect([...asked].toSorted()).toEqual(['empty.png', 'photo.png', 'poster.png', 'viewer.js'])
    expect(noise).toEqual([])
  })
})
