// Live mode of the page in Chromium, on WASM: pictures a second, and processor time of a picture by kind of process.
//   npm run build --prefix apps/web; ffmpeg -i face.jpg -vf scale=640:480,loop=60:1:0 film.mjpeg
//   node --conditions=@facekit/source --import tsx benchmarks/live-page.ts PHOTO film.mjpeg [--seconds 30] [--rounds 2] apps/web/dist [BEFORE ...]
// Each folder is a built page; with several they are measured in turn, round by round, so that a busy machine is busy for all. Of a group the largest face is
// taken. `renderer`: page and worker; `gpu`: Chromium's own drawing, in software where there is no GPU.
import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'
import { printTable } from './benchmark.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '30' }, rounds: { type: 'string', default: '2' } },
})
const [photo, film, ...folders] = positionals
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
}

async function serve(folder: string) {
  const server = createServer(async ({ url = '/' }, response) => {
    const { pathname } = new URL(url, 'http://localhost')
    const path = normalize(pathname.endsWith('/') ? `${pathname}index.html` : pathname)
    const content = await readFile(join(folder, path)).catch(() => undefined)
    response.writeHead(content ? 200 : 404, {
      'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
    })
    response.end(content)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => server.close(),
  }
}

/** Processor milliseconds of a process and all below it, by kind. */
function processorTime(root: number): Record<string, number> {
  const parents = new Map<number, number>()
  const spent = new Map<number, [string, number]>()
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8')
      parents.set(Number(name), Number(fields[1]))
      const kind = /--type=(\w+)/.exec(command)?.[1] ?? 'browser'
      spent.set(Number(name), [kind, 10 * (Number(fields[11]) + Number(fields[12]))])
    } catch {
      // It has ended.
    }
  }
  const sums: Record<string, number> = { renderer: 0, gpu: 0 }
  for (const [id, [kind, time]] of spent) {
    let at: number | undefined = id
    while (at !== undefined && at !== root) at = parents.get(at)
    if (at === root && id !== root && kind in sums) sums[kind] += time
  }
  return sums
}

async function measure(folder: string) {
  const site = await serve(folder)
  const args = [
    '--no-sandbox',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-video-capture=${film}`,
  ]
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args,
  })
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    permissions: ['camera'],
  })
  context.setDefaultTimeout(600_000)
  const page = await context.newPage()
  // Pictures that are shown move the vertices.
  await page.addInitScript(() => {
    const count = globalThis as unknown as { answers: number }
    count.answers = 0
    const { postMessage } = Worker.prototype
    Worker.prototype.postMessage = function (this: Worker, message: unknown, ...rest: never[]) {
      if ((message as { method?: string }).method === 'followNext') count.answers++
      return postMessage.call(this, message, ...rest)
    }
  })
  await page.goto(site.address)
  await page.setInputFiles('#file', photo)
  const result = page.getByRole('region', { name: 'Your 3D face' })
  const several = page.getByRole('button', { name: /^Face 1 of/ })
  await result.or(several).first().waitFor()
  if (await several.count()) await several.press('Enter')
  await result.waitFor()
  await page.getByRole('button', { name: 'Move it yourself' }).click()
  await page.getByText('Move your head').waitFor()
  await page.waitForTimeout(3000)
  const answers = () => page.evaluate(() => (globalThis as unknown as { answers: number }).answers)
  const [count, before, started] = [await answers(), processorTime(process.pid), performance.now()]
  await page.waitForTimeout(1000 * Number(values.seconds))
  const [pictures, after] = [(await answers()) - count, processorTime(process.pid)]
  const seconds = (performance.now() - started) / 1000
  await browser.close()
  site.close()
  const each = (kind: string) => Math.round((after[kind] - before[kind]) / pictures)
  return {
    page: folder,
    pictures,
    'a second': Number((pictures / seconds).toFixed(2)),
    'renderer ms': each('renderer'),
    'gpu ms': each('gpu'),
  }
}

for (let round = 0; round < Number(values.rounds); round++)
  for (const folder of folders) printTable([await measure(folder)])
