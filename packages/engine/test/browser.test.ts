import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium, type Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const wasmFolder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))

/** A page with the bundled script, and tfjs' .wasm files beside it. WebGPU needs an address that is secure: localhost is. */
async function serve(script: string): Promise<Server> {
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    const send = (type: string, body: string | Uint8Array) =>
      response.writeHead(200, { 'content-type': type }).end(body)
    if (path === '/') send('text/html', '<!doctype html><script type="module" src="/train.js"></script>')
    else if (path === '/train.js') send('text/javascript', script)
    else if (path.startsWith('/wasm/'))
      readFile(join(wasmFolder, path.slice(6))).then(
        (bytes) => send('application/wasm', bytes),
        () => response.writeHead(404).end(),
      )
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  return server
}

describe.skipIf(!existsSync(CHROMIUM))('the engine in Chromium', () => {
  let server: Server
  let browser: Browser
  let losses: Record<string, number[] | string>

  beforeAll(async () => {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL('./browser/train.ts', import.meta.url))],
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'browser',
      conditions: ['@facekit/source'],
      external: ['node:*', 'webgpu', '@tensorflow/tfjs-node', '@tensorflow/tfjs-node-gpu'],
      logLevel: 'error',
    })
    server = await serve(outputFiles[0].text)
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
    })
    const page = await browser.newPage()
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`)
    await page.waitForFunction(() => 'losses' in window, undefined, { timeout: 100_000 })
    losses = await page.evaluate(() => (window as unknown as { losses: typeof losses }).losses)
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    server?.close()
  })

  it.each(['wasm', 'webgpu'])('value: %s trains as the cpu does', (backend) => {
    const expected = losses.cpu as number[]
    expect(expected).toHaveLength(6)
    expect(losses[backend]).toEqual(expect.any(Array))
    ;(losses[backend] as number[]).forEach((loss, i) => expect(loss).toBeCloseTo(expected[i], 4))
  })
})
