// Live mode of the app in Chromium, for a long time: a fake camera films a face that moves, and now and then nobody. Watched are pictures, the
// page's heap and nodes, and the memory of Chromium's processes. Ends with 1 when something grows. See docs/reliability.md. Linux.
//
//   npm run soak:live -- [--minutes 60] [--samples 20] [--out samples.jsonl]
import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { chromium, type CDPSession } from 'playwright-core'
import sharp from 'sharp'
import { CHROMIUM, serveApp } from '../../apps/web/test/app-page.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    samples: { type: 'string', default: '20' },
    out: { type: 'string' },
  },
})
const [minutes, count] = [Number(values.minutes), Number(values.samples)]
/** Memory at the end may be so much above that after the first quarter. */
const GROWTH = 1.15
const MEBIBYTE = 2 ** 20

interface Sample {
  minutes: number
  /** Pictures that were followed. */
  pictures: number
  /** Of the page, after a collection, bytes. */
  heap: number
  nodes: number
  listeners: number
  /** Resident, of all processes of Chromium, and of the largest, bytes. */
  memory: number
  largest: number
  processes: number
  says: string
}

const photograph = fileURLToPath(new URL('../../apps/web/public/examples/1.jpg', import.meta.url))
const film = join(tmpdir(), `facekit-film-${process.pid}.mjpeg`)

/** A face that goes left and right, and is away for a moment at the end. */
async function makeFilm(): Promise<void> {
  const frames = Array.from({ length: 60 }, async (_, i) => {
    if (i >= 54)
      return sharp({ create: { width: 640, height: 480, channels: 3, background: '#777' } })
        .jpeg()
        .toBuffer()
    const left = Math.round(80 + 60 * Math.sin((2 * Math.PI * i) / 54))
    return sharp(photograph)
      .resize(480, 480)
      .extend({ left, right: 160 - left, background: '#777' })
      .jpeg()
      .toBuffer()
  })
  await writeFile(film, Buffer.concat(await Promise.all(frames)))
}

/** Resident memory of a process and all that it started, bytes. */
async function memoryOf(root: number): Promise<number[]> {
  const processes = new Map<number, { parent: number; bytes: number }>()
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const status = await readFile(`/proc/${name}/status`, 'utf8').catch(() => '')
    const parent = /^PPid:\s+(\d+)/m.exec(status)?.[1]
    const kilobytes = /^VmRSS:\s+(\d+)/m.exec(status)?.[1]
    if (parent && kilobytes)
      processes.set(Number(name), { parent: Number(parent), bytes: 1024 * Number(kilobytes) })
  }
  const isBelow = (pid: number): boolean =>
    pid === root || (processes.has(pid) && isBelow(processes.get(pid)!.parent))
  return [...processes].filter(([pid]) => isBelow(pid)).map(([, { bytes }]) => bytes)
}

async function sampleOf(session: CDPSession, pid: number, started: number): Promise<Sample> {
  await session.send('HeapProfiler.collectGarbage')
  const { metrics } = await session.send('Performance.getMetrics')
  const metric = (name: string) => metrics.find((each) => each.name === name)?.value ?? 0
  const evaluate = async (expression: string) =>
    (await session.send('Runtime.evaluate', { expression })).result.value as unknown
  const memory = await memoryOf(pid)
  return {
    minutes: (performance.now() - started) / 60_000,
    pictures: Number(await evaluate('globalThis.picturesTaken')),
    heap: metric('JSHeapUsedSize'),
    nodes: metric('Nodes'),
    listeners: metric('JSEventListeners'),
    memory: memory.reduce((sum, bytes) => sum + bytes, 0),
    largest: Math.max(...memory),
    processes: memory.length,
    says: String(await evaluate("document.querySelector('.live')?.innerText ?? ''")).replaceAll('\n', '; '),
  }
}

/** What has grown since the first quarter. */
function problemsOf(samples: readonly Sample[]): string[] {
  const problems: string[] = []
  const settled = samples.slice(Math.ceil(samples.length / 4))
  const [first, last] = [settled[0], settled.at(-1)]
  if (!first || !last || first === last) return ['there are too few samples']
  // The words of the moment have one more or less.
  if (last.nodes > first.nodes + 10) problems.push(`nodes grew from ${first.nodes} to ${last.nodes}`)
  if (last.listeners > first.listeners + 2)
    problems.push(`listeners grew from ${first.listeners} to ${last.listeners}`)
  for (const name of ['heap', 'memory', 'largest'] as const) {
    const [from, to] = [first[name] / MEBIBYTE, last[name] / MEBIBYTE]
    if (to > GROWTH * from) problems.push(`${name} grew from ${from.toFixed(1)} to ${to.toFixed(1)} MiB`)
  }
  for (const [i, { pictures }] of samples.entries())
    if (i > 0 && pictures <= samples[i - 1].pictures)
      problems.push(
        `no picture between ${samples[i - 1].minutes.toFixed(1)} and ${samples[i].minutes.toFixed(1)} min`,
      )
  return problems
}

await makeFilm()
const site = await serveApp()
const server = await chromium.launchServer({
  executablePath: CHROMIUM,
  args: [
    '--no-sandbox',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-video-capture=${film}`,
    '--enable-unsafe-swiftshader',
  ],
})
try {
  const browser = await chromium.connect(server.wsEndpoint())
  const context = await browser.newContext({ permissions: ['camera'], reducedMotion: 'reduce' })
  context.setDefaultTimeout(600_000)
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('crash', () => errors.push('the page crashed'))
  // Each picture that is given to the follower is made by this.
  await page.addInitScript(() => {
    const counter = globalThis as unknown as { picturesTaken: number }
    counter.picturesTaken = 0
    const make = OffscreenCanvas.prototype.transferToImageBitmap
    OffscreenCanvas.prototype.transferToImageBitmap = function (this: OffscreenCanvas) {
      counter.picturesTaken++
      return make.call(this)
    }
  })
  await page.goto(site.address)
  await page.setInputFiles('#file', photograph)
  await page.getByRole('region', { name: 'Your 3D face' }).waitFor()
  await page.getByRole('button', { name: 'Move it yourself' }).press('Enter')
  await page.getByText('Move your head and your face.').waitFor()
  const session = await context.newCDPSession(page)
  await session.send('Performance.enable')
  const samples: Sample[] = []
  const started = performance.now()
  for (let i = 1; i <= count && errors.length === 0; i++) {
    const due = started + (60_000 * minutes * i) / count
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())))
    const sample = await sampleOf(session, server.process().pid!, started)
    samples.push(sample)
    const { pictures, heap, nodes, listeners, memory, largest, processes, says } = sample
    console.log(
      `${sample.minutes.toFixed(1)} min: ${pictures} pictures, heap ${(heap / MEBIBYTE).toFixed(1)} MiB, ${nodes} nodes, ${listeners} listeners, ${processes} processes of ${(memory / MEBIBYTE).toFixed(0)} MiB, the largest ${(largest / MEBIBYTE).toFixed(0)} MiB; ${says}`,
    )
    if (values.out) await appendFile(values.out, `${JSON.stringify(sample)}\n`)
  }
  const problems = [...errors, ...problemsOf(samples)]
  for (const problem of problems) console.error(`FAILED: live: ${problem}`)
  console.log(`live: ${samples.at(-1)?.pictures ?? 0} pictures, ${problems.length} problems`)
  process.exitCode = problems.length > 0 ? 1 : 0
} finally {
  await server.close()
  await site.close()
  await rm(film, { force: true })
}
