import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { build } from 'vite'
import { expect } from 'vitest'

/** Where Chromium is; tests in it are skipped without it. */
export const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
export const hasChromium = existsSync(CHROMIUM)

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.jpg': 'image/jpeg',
  '.webmanifest': 'application/manifest+json',
}

/** The built app on a server that sends files and does nothing else. */
export interface AppSite {
  address: string
  /** Paths that were asked for. */
  requests: string[]
  /** Lengths of the files that were sent, by their paths. */
  bytes: Map<string, number>
  close(): Promise<void>
}

/** Builds the app and serves it. */
export async function serveApp(): Promise<AppSite> {
  const folder = await mkdtemp(join(tmpdir(), 'facekit-app-'))
  const configFile = fileURLToPath(new URL('../vite.config.ts', import.meta.url))
  // Under a test runner NODE_ENV is "test", and the page would be one in development: without its service worker.
  const before = process.env.NODE_ENV
  process.env.NODE_ENV = 'production'
  await build({ configFile, mode: 'test', logLevel: 'error', build: { outDir: folder, emptyOutDir: true } })
  process.env.NODE_ENV = before
  const requests: string[] = []
  const bytes = new Map<string, number>()
  const server: Server = createServer(async ({ url = '/' }, response) => {
    const { pathname } = new URL(url, 'http://localhost')
    requests.push(pathname)
    const path = normalize(pathname.endsWith('/') ? `${pathname}index.html` : pathname)
    const content = await readFile(join(folder, path)).catch(() => undefined)
    if (content) bytes.set(pathname, content.length)
    response.writeHead(content ? 200 : 404, {
      'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
    })
    response.end(content)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    bytes,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Widths are laid out apart from colours: two of the four pairs show all. */
const LOOKS = [
  { name: 'desktop', size: { width: 1280, height: 800 }, colorScheme: 'light' },
  { name: 'phone', size: { width: 390, height: 844 }, colorScheme: 'dark' },
] as const

/** Looks at what a page shows on a desktop in light colours and on a phone in dark ones: what axe finds wrong, and whether anything is wider than the window.
 * With the variable FACEKIT_SCREENSHOTS also writes pictures of it into that folder. */
export async function inspect(page: Page, view: string): Promise<void> {
  const problems: string[] = []
  for (const { name, size, colorScheme } of LOOKS) {
    await page.setViewportSize(size)
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    for (const violation of await violations(page)) problems.push(`${view}, ${name}: ${violation}`)
    const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    if (excess > 0) problems.push(`${view}, ${name}: ${excess} pixels wider than the window`)
    const folder = process.env.FACEKIT_SCREENSHOTS
    if (folder) await page.screenshot({ path: join(folder, `${view}-${name}.png`), fullPage: true })
  }
  await page.setViewportSize(LOOKS[0].size)
  expect(problems).toEqual([])
}

/** What axe finds wrong with the page as it is. */
async function violations(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe.source)
  return page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run()
    return violations.map(
      ({ id, nodes }) => `${id} (${nodes.map(({ target }) => target.join(' ')).join('; ')})`,
    )
  })
}
