import { createRequire } from 'node:module'
import type * as facekitModule from 'facekit'
import type { Browser } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, openBrowser, serveBundle } from './page.js'
import { serve, type Site } from './sites.js'

const photograph = createRequire(import.meta.url).resolve('@vladmandic/face-api/demo/sample1.jpg')

declare global {
  // What the page under test imports, and how often it has asked its GPU for something.
  var facekit: Promise<typeof facekitModule>
  var submissions: number | undefined
}

/** Makes of Chromium's GPU in software one that is chosen by itself, and that is lost while the first network runs. */
function ownGpu(refuses: boolean): void {
  const { gpu } = navigator
  const request = gpu.requestAdapter.bind(gpu)
  const named = (adapter: GPUAdapter): GPUAdapter =>
    new Proxy(adapter, {
      get(target, key) {
        if (key === 'info') return { vendor: 'test', architecture: '', device: '', description: '' }
        if (key === 'requestDevice')
          return async (descriptor: GPUDeviceDescriptor) => {
            if (refuses) throw new Error('the driver says no')
            const device = await target.requestDevice(descriptor)
            const { queue } = device
            const submit = queue.submit.bind(queue)
            // A device that is destroyed says so when its shaders are compiled, which takes a minute in software: this one is lost at once.
            let resolve!: (info: GPUDeviceLostInfo) => void
            const promise = new Promise<GPUDeviceLostInfo>((settle) => (resolve = settle))
            Object.defineProperty(device, 'lost', { value: promise })
            queue.submit = (buffers) => {
              submit(buffers)
              globalThis.submissions = (globalThis.submissions ?? 0) + 1
              if (globalThis.submissions === 2)
                resolve({ reason: 'unknown', message: 'pulled out' } as GPUDeviceLostInfo)
            }
            return device
          }
        const value: unknown = Reflect.get(target, key)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  gpu.requestAdapter = async (options) => {
    const adapter = await request(options)
    return adapter && named(adapter)
  }
}

describe.skipIf(!hasChromium)('a GPU that is lost or refused', () => {
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
      '/page.js': `globalThis.facekit = import('${cdn.address}/facekit.js')`,
      '/portrait.jpg': portrait,
    })
    browser = await openBrowser(['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'])
  })
  afterAll(async () => {
    await browser?.close()
    await Promise.all([cdn?.close(), site?.close()])
  })

  async function openPage(refuses: boolean) {
    const page = await browser.newPage()
    const warnings: string[] = []
    page.on('console', (message) => message.type() === 'warning' && warnings.push(message.text()))
    await page.addInitScript(ownGpu, refuses)
    await page.goto(site.address)
    return { page, warnings }
  }

  it('value: a GPU that is refused leaves the work to WASM', async () => {
    const { page } = await openPage(true)
    const backend = await page.evaluate(async () => {
      const { reconstruct } = await globalThis.facekit
      const face = await reconstruct('/portrait.jpg', { iterations: 0, texture: 'none', worker: false })
      return face.parameters.backend
    })
    expect(backend).toBe('wasm')
    await page.close()
  })

  it('value: a GPU that is lost on the way leaves the rest to WASM, once and with a word', async () => {
    const { page, warnings } = await openPage(false)
    const found = await page.evaluate(async () => {
      const { findFaces, reconstruct } = await globalThis.facekit
      const notices: string[] = []
      const options = {
        iterations: 0,
        texture: 'none',
        worker: false,
        onProgress: ({ notice }: { notice?: string }) => notice !== undefined && notices.push(notice),
      } as const
      const face = await reconstruct('/portrait.jpg', options)
      const glb = await face.glb()
      const submitted = globalThis.submissions
      await findFaces('/portrait.jpg', options)
      return {
        usedGpu: globalThis.submissions! >= 2,
        notices,
        error: face.parameters.metrics.landmarkError,
        backend: face.parameters.backend,
        submitsAgain: globalThis.submissions !== submitted,
        bytes: glb.length,
      }
    })
    expect(found).toMatchObject({ usedGpu: true, backend: 'wasm', submitsAgain: false })
    expect(found.error).toBeLessThan(0.05)
    expect(found.bytes).toBeGreaterThan(300_000)
    expect(found.notices).toEqual([expect.stringMatching(/GPU failed .*pulled out.*goes on without it$/)])
    // One call, one word; the next call asks for no GPU.
    expect(warnings.filter((text) => /GPU failed/.test(text))).toHaveLength(1)
    await page.close()
    // Seconds of processor time, but a minute and more on a busy machine.
  }, 240_000)
})
