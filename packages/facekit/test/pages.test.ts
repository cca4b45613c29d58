import { createRequire } from 'node:module'
import type * as facekitModule from 'facekit'
import type { Browser, BrowserContext } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, openBrowser, serveBundle } from './page.js'
import { serve, type Site } from './sites.js'

const photograph = createRequire(import.meta.url).resolve('@vladmandic/face-api/demo/sample1.jpg')

declare global {
  // What the page under test imports.
  var facekit: Promise<typeof facekitModule>
}

describe.skipIf(!hasChromium)('facekit in pages, with photographs of all kinds', () => {
  let cdn: Site
  let site: Site
  let browser: Browser
  let context: BrowserContext

  beforeAll(async () => {
    cdn = await serveBundle()
    const upright = sharp(photograph).extract({ left: 650, top: 280, width: 420, height: 560 })
    const portrait = await upright.clone().jpeg().toBuffer()
    // As a phone writes it: the sensor's rows lie on their side, and EXIF says so.
    const onItsSide = await sharp(portrait).rotate(-90).withMetadata({ orientation: 6 }).jpeg().toBuffer()
    const face = await upright.clone().resize(2400, 3200).toBuffer()
    const huge = await sharp({ create: { width: 8000, height: 5000, channels: 3, background: '#55606a' } })
      .composite([{ input: face, left: 3000, top: 900 }])
      .jpeg({ quality: 70 })
      .toBuffer()
    site = await serve({
      '/index.html':
        '<!doctype html><meta charset="utf-8"><title>t</title><script type="module" src="/page.js"></script>',
      '/page.js': `globalThis.facekit = import('${cdn.address}/facekit.js')`,
      '/portrait.jpg': portrait,
      '/phone.jpg': onItsSide,
      '/huge.jpg': huge,
    })
    browser = await openBrowser()
    context = await browser.newContext()
  })
  afterAll(async () => {
    await browser?.close()
    await Promise.all([cdn?.close(), site?.close()])
  })

  async function openPage() {
    const page = await context.newPage()
    await page.goto(site.address)
    return page
  }

  it('value: a portrait of a phone is the same upright or turned by EXIF', async () => {
    const page = await openPage()
    const [upright, turned] = await page.evaluate(async () => {
      const { reconstruct } = await globalThis.facekit
      const found: number[][] = []
      for (const photo of ['/portrait.jpg', '/phone.jpg']) {
        const { parameters, dispose } = await reconstruct(photo, { iterations: 0, texture: 'none' })
        const { box, picture } = parameters
        found.push([picture.width, picture.height, box.x, box.y, box.width, parameters.landmarks[30][0]])
        dispose()
      }
      return found
    })
    expect(upright.slice(0, 2)).toEqual([420, 560])
    // Compressed twice, so not to the bit.
    turned.forEach((value, i) => expect(Math.abs(value - upright[i])).toBeLessThan(8))
    await page.close()
  })

  it('value: 40 megapixels are read in half the size, and told in pixels of the photograph', async () => {
    const page = await openPage()
    const { picture, box, landmarks } = await page.evaluate(async () => {
      const { reconstruct } = await globalThis.facekit
      const face = await reconstruct('/huge.jpg', { iterations: 0, texture: 128 })
      return face.parameters
    })
    expect(picture).toMatchObject({ width: 8000, height: 5000 })
    expect(box.x).toBeGreaterThan(2800)
    expect(box.x + box.width).toBeLessThan(5600)
    for (const [x, y] of landmarks) {
      expect(x).toBeGreaterThan(2800)
      expect(x).toBeLessThan(5600)
      expect(y).toBeGreaterThan(700)
      expect(y).toBeLessThan(4300)
    }
    await page.close()
  })

  it('value: a page that is reloaded in the middle works again, and two pages work at once', async () => {
    const [first, second] = [await openPage(), await openPage()]
    await first.evaluate(async () => {
      const { reconstruct } = await globalThis.facekit
      // Until it has begun.
      await new Promise<void>((resolve, reject) => {
        reconstruct('/portrait.jpg', { onProgress: ({ stage }) => stage === 'landmarks' && resolve() }).catch(
          reject,
        )
      })
    })
    await first.reload()
    const glbs = await Promise.all(
      [first, second].map((page) =>
        page.evaluate(async () => {
          const { reconstruct } = await globalThis.facekit
          const face = await reconstruct('/portrait.jpg', { iterations: 2, texture: 64 })
          return [...(await face.glb())]
        }),
      ),
    )
    expect(glbs[0].length).toBeGreaterThan(300_000)
    // The same face in both, to the bit.
    expect(Buffer.from(glbs[0]).equals(Buffer.from(glbs[1]))).toBe(true)
  })

  it('throws: BackendError where the worker is lost', async () => {
    const page = await openPage()
    await page.route('**/worker.js', (route) => route.fulfill({ status: 404 }))
    const message = await page.evaluate(async () => {
      const { prepare, BackendError } = await globalThis.facekit
      return prepare().catch((error: Error) => `${error instanceof BackendError} ${error.message}`)
    })
    expect(message).toMatch(/^true reconstruct: the worker does not run/)
    await page.close()
  })
})
