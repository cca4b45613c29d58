import { createRequire } from 'node:module'
import type * as facekitModule from 'facekit'
import type { Browser } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, openBrowser, serveBundle } from './page.js'
import { serve, type Site } from './sites.js'

const photograph = createRequire(import.meta.url).resolve('@vladmandic/face-api/demo/sample1.jpg')

declare global {
  // What the page under test imports, and the GPU's device once it is there.
  var facekit: Promise<typeof facekitModule>
  var gpuDevice: GPUDevice | undefined
}

/** SwiftShader computes what a GPU would; the page takes it for one. */
const DISGUISE = `
  const request = GPUAdapter.prototype.requestDevice
  GPUAdapter.prototype.requestDevice = async function (...args) {
    return (globalThis.gpuDevice = await request.apply(this, args))
  }
  const info = { vendor: 'test', architecture: '', device: '', description: 'a test', isFallbackAdapter: false }
  Object.defineProperty(GPUAdapter.prototype, 'info', { get: () => info })`

describe.skipIf(!hasChromium)('facekit on a GPU', { timeout: 600_000 }, () => {
  let cdn: Site
  let site: Site
  let browser: Browser

  beforeAll(async () => {
    cdn = await serveBundle()
    const portrait = await sharp(photograph)
      .extract({ left: 650, top: 280, width: 420, height: 560 })
      .jpeg()
      .toBuffer()
    site = await serve({
      '/index.html':
        '<!doctype html><meta charset="utf-8"><title>t</title><script type="module" src="/page.js"></script>',
      '/page.js': `${DISGUISE}\nglobalThis.facekit = import('${cdn.address}/facekit.js')`,
      '/portrait.jpg': portrait,
    })
    browser = await openBrowser(['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'])
  })
  afterAll(async () => {
    await browser?.close()
    await Promise.all([cdn?.close(), site?.close()])
  })

  it('value: it is found and used; lost in the middle, the face is made all the same', async () => {
    const page = await browser.newPage()
    await page.goto(site.address)
    const { backends, last } = await page.evaluate(async () => {
      const { reconstruct } = await globalThis.facekit
      let wasUsed = false
      const face = await reconstruct('/portrait.jpg', {
        worker: false,
        iterations: 0,
        texture: 'none',
        onProgress: ({ stage }) => {
          if (stage !== 'landmarks' || wasUsed) return
          wasUsed = globalThis.gpuDevice !== undefined
          globalThis.gpuDevice?.destroy()
        },
      })
      const { landmarkError } = face.parameters.metrics
      return { backends: [wasUsed && 'webgpu', face.parameters.backend], last: landmarkError }
    })
    expect(backends).toEqual(['webgpu', 'wasm'])
    expect(last).toBeLessThan(0.05)
  })
})
