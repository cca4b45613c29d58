import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium, type Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const wasmFolder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))

interface Found {
  isolated: boolean
  cpu: { values: number[] }
  wasm: { threads: number; values: number[] }
}

describe.skipIf(!existsSync(CHROMIUM))('WASM on a page that is cross-origin isolated', () => {
  let server: Server
  let browser: Browser
  let found: Found

  beforeAll(async () => {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL('./browser/threads.ts', import.meta.url))],
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'browser',
      conditions: ['@facekit/source'],
      external: ['node:*', 'webgpu', '@tensorflow/tfjs-node', '@tensorflow/tfjs-node-gpu'],
      logLevel: 'error',
    })
    const isolation = {
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
    }
    server = createServer((request, response) => {
      const path = request.url ?? '/'
      const send = (type: string, body: string | Uint8Array) =>
        response.writeHead(200, { 'content-type': type, ...isolation }).end(body)
      if (path === '/') send('text/html', '<!doctype html><script type="module" src="/script.js"></script>')
      else if (path === '/script.js') send('text/javascript', outputFiles[0].text)
      else
        readFile(join(wasmFolder, path.replace('/wasm/', ''))).then(
          (bytes) => send('application/wasm', bytes),
          () => response.writeHead(404).end(),
        )
    })
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
    const page = await browser.newPage()
    page.on('pageerror', (error) => console.log(error.message))
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`)
    await page.waitForFunction(() => 'found' in window, undefined, { timeout: 100_000 })
    found = await page.evaluate(() => (window as unknown as { found: Found }).found)
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    server?.close()
  })

  it('value: convolution and gradients by three threads equal those of the cpu', () => {
    expect(found.isolated).toBe(true)
    expect(found.wasm).toMatchObject({ threads: 3 })
    found.wasm.values.forEach((value, i) => {
      const expected = found.cpu.values[i]
      expect(Math.abs(value - expected)).toBeLessThan(1e-3 * Math.max(1, Math.abs(expected)))
    })
  })
})
