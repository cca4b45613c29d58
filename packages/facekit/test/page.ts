import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser } from 'playwright-core'
import { bundle } from '../scripts/bundle.js'
import { serve, type Site } from './sites.js'

/** Where Chromium is; tests in it are skipped without it. */
export const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
export const hasChromium = existsSync(CHROMIUM)

/** The bundle on a site of its own. */
export async function serveBundle(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'facekit-cdn-'))
  await bundle(folder)
  const site = await serve(folder)
  const { close } = site
  site.close = async () => {
    await close()
    await rm(folder, { recursive: true, force: true })
  }
  return site
}

export const openBrowser = (args: string[] = []): Promise<Browser> =>
  chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', ...args] })
