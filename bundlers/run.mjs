// Bundles an app with each bundler, after a build of the packages, and runs it in Chromium.
//   node bundlers/run.mjs                 all
//   node bundlers/run.mjs esbuild next    only these
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { bundlers } from './bundlers.mjs'
import { serve } from './serve.mjs'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(bundlers)
const browser = existsSync(executablePath)
  ? await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  : undefined
if (browser === undefined) console.log(`no ${executablePath}: the apps are bundled, not run`)

let failed = 0
for (const name of names) {
  const { build, run = true } = bundlers[name]
  const out = await mkdtemp(join(tmpdir(), 'facekit-bundle-'))
  const started = performance.now()
  const seconds = () => `${((performance.now() - started) / 1000).toFixed(1)} s`
  try {
    await build(out)
    const built = seconds()
    const result = run && browser ? await openPage(out) : undefined
    console.log(
      `ok ${name}: bundled in ${built}${result ? `, run by ${seconds()}: ${JSON.stringify(result)}` : ''}`,
    )
  } catch (error) {
    failed++
    console.error(`FAILED ${name}: ${error.message}`)
  } finally {
    await rm(out, { recursive: true, force: true })
  }
}
await browser?.close()
process.exitCode = failed === 0 ? 0 : 1

/** Opens the app and checks what it computed, then what it says when its files are lost. */
async function openPage(site) {
  const server = await serve(site)
  try {
    const result = await resultOf(server.address)
    if (result.error) throw new Error(result.error)
    const { backend, gradient, faces, landmarks } = result
    if (backend !== 'wasm' || !(gradient > 0) || !(faces > 0) || landmarks.join() !== '68,2')
      throw new Error(`the app computed ${JSON.stringify(result)}`)
    const messages = await resultOf(`${server.address}?lost`)
    if (!messages.every((message) => message.includes('HTML page')))
      throw new Error(`without its files the app says ${JSON.stringify(messages)}`)
    return result
  } finally {
    await server.close()
  }
}

async function resultOf(address) {
  const page = await browser.newPage()
  try {
    await page.goto(address)
    await page.waitForFunction(() => 'facekit' in globalThis, undefined, { timeout: 60_000 })
    return await page.evaluate(() => globalThis.facekit)
  } finally {
    await page.close()
  }
}
