import { createRequire } from 'node:module'
import type { Browser, Page } from 'playwright-core'
import type * as facekitModule from 'facekit'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, openBrowser, serveBundle } from './page.js'
import { serve, type Site } from './sites.js'

const photograph = createRequire(import.meta.url).resolve('@vladmandic/face-api/demo/sample1.jpg')

declare global {
  // What the page under test imports, and the longest time that its thread was blocked.
  var facekit: Promise<typeof facekitModule>
  var longestBlock: number
}

describe.skipIf(!hasChromium)('facekit from another site, under a strict policy', () => {
  let cdn: Site
  let site: Site
  let browser: Browser
  let page: Page
  const errors: string[] = []

  beforeAll(async () => {
    cdn = await serveBundle()
    const script = `
      globalThis.facekit = import('${cdn.address}/facekit.js')
      globalThis.longestBlock = 0
      // Tasks of 50 ms and more.
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) longestBlock = Math.max(longestBlock, duration)
      }).observe({ type: 'longtask' })`
    const face = await sharp(photograph)
      .extract({ left: 650, top: 280, width: 560, height: 560 })
      .jpeg()
      .toBuffer()
    const wall = await sharp({ create: { width: 320, height: 240, channels: 3, background: '#7a8894' } })
      .jpeg()
      .toBuffer()
    site = await serve(
      {
        '/index.html':
          '<!doctype html><meta charset="utf-8"><title>t</title><script type="module" src="/page.js"></script>',
        '/page.js': script,
        '/face.jpg': face,
        '/wall.jpg': wall,
        '/text.jpg': Buffer.from('no picture at all, only words'),
      },
      {
        'content-security-policy': `default-src 'none'; script-src 'self' ${cdn.address} 'wasm-unsafe-eval'; worker-src blob: ${cdn.address}; connect-src 'self' ${cdn.address}`,
      },
    )
    browser = await openBrowser()
    page = await browser.newPage()
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
    page.on('pageerror', (error) => errors.push(error.message))
    await page.goto(site.address)
  })
  afterAll(async () => {
    await browser?.close()
    await Promise.all([cdn?.close(), site?.close()])
  })

  it('value: the first face costs at most 10 MB, 3 MB of it code, and never blocks the page for 50 ms', async () => {
    const stages = await page.evaluate(async () => {
      const { reconstruct } = await globalThis.facekit
      globalThis.longestBlock = 0
      const stages: string[] = []
      let last = 0
      const face = await reconstruct('/face.jpg', {
        iterations: 4,
        texture: 256,
        onProgress: ({ stage, progress }) => {
          if (progress < last) throw new Error('progress fell')
          last = progress
          if (!stages.includes(stage)) stages.push(stage)
        },
      })
      Object.assign(globalThis, { face })
      return stages
    })
    const names = cdn.requests.map((path) => path.split('/').at(-1)!)
    expect(stages).toEqual(['reading', 'finding', 'landmarks', 'shape', 'texture'])
    expect(names.filter((name) => name.includes('.safetensors')).toSorted()).toEqual([
      'base-model-scans.safetensors.gz',
      'dense-landmarks.safetensors.gz',
      'landmarks.safetensors.gz',
      'tiny-face-detector.safetensors.gz',
    ])
    const bytes = (isCode: boolean) =>
      cdn.requests.reduce(
        (sum, path, i) => sum + (/\.(js|wasm)$/.test(path) === isCode ? cdn.bytes[i] : 0),
        0,
      )
    // tfjs, networks and fit are the worker's.
    const own = cdn.requests.filter((path) => path.endsWith('.js') && !path.endsWith('/worker.js'))
    const ownBytes = own.reduce((sum, path) => sum + cdn.bytes[cdn.requests.indexOf(path)], 0)
    expect(ownBytes).toBeLessThan(10e3)
    // Servers that pack nothing send 2.6 MB of code, those that do .8 MB.
    expect(bytes(true)).toBeLessThan(1e6)
    expect(bytes(true) + bytes(false)).toBeLessThan(7e6)
    expect(await page.evaluate(() => globalThis.longestBlock)).toBe(0)
    expect(errors).toEqual([])
  })

  it('value: the next faces cost no request, and what a face draws and writes neither', async () => {
    const before = cdn.requests.length
    const found = await page.evaluate(async () => {
      const { reconstruct } = await globalThis.facekit
      const photo = await fetch('/face.jpg').then((response) => response.blob())
      const face = await reconstruct(await createImageBitmap(photo), { iterations: 1, texture: 64 })
      const glb = await face.glb()
      const picture = await face.render({ width: 64, light: 'studio' })
      const { vertices } = await face.geometry({ expression: { jawOpen: 1 } })
      const again = await face.geometry()
      face.dispose()
      return {
        magic: String.fromCharCode(...glb.subarray(0, 4)),
        shown: picture.data.some((value, i) => i % 4 === 3 && value === 255),
        vertices: vertices.length,
        triangles: again.triangles.length,
        backend: face.parameters.backend,
      }
    })
    expect(found).toEqual({
      magic: 'glTF',
      shown: true,
      vertices: expect.any(Number),
      triangles: expect.any(Number),
      backend: 'wasm',
    })
    expect(found.triangles).toBeGreaterThan(20_000)
    // Maps are written by code that a first GLB loads.
    const later = cdn.requests.slice(before)
    expect(later.filter((path) => !/chunks-.*\.js$/.test(path))).toEqual([])
  })

  it('throws: errors of the worker arrive with their types', async () => {
    const thrown = await page.evaluate(async () => {
      const { reconstruct, AnnotationError, ImageError } = await globalThis.facekit
      const name = (promise: Promise<unknown>, type: abstract new (...args: never[]) => unknown) =>
        promise.then(
          () => 'no error',
          (error: Error) => `${error instanceof type} ${error.name}`,
        )
      return [
        await name(reconstruct('/text.jpg'), ImageError),
        await name(reconstruct('/nowhere.jpg'), ImageError),
        await name(reconstruct('/wall.jpg'), AnnotationError),
        await name(reconstruct('/face.jpg', { signal: AbortSignal.timeout(300) }), DOMException),
      ]
    })
    expect(thrown).toEqual([
      'true ImageError',
      'true ImageError',
      'true AnnotationError',
      'true TimeoutError',
    ])
  })
})
