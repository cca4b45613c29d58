// Kills `facekit annotate` at random moments and starts it again, then compares the result with that of an undisturbed run.
//
//   node --conditions=@facekit/source --import tsx packages/dataset/scripts/kill-annotate.ts <folder of pictures>
//     [--pictures 60] [--kills 20] [--workers 2] [--seed 1] [--layout shards] [--command "node dist/main.js"]
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createRandom } from '@facekit/core'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pictures: { type: 'string', default: '60' },
    kills: { type: 'string', default: '20' },
    workers: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    layout: { type: 'string', default: 'shards' },
    command: { type: 'string' },
  },
})
const source = positionals[0]
const main = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url))
const command = values.command?.split(' ') ?? [
  process.execPath,
  '--conditions=@facekit/source',
  '--import',
  'tsx',
  main,
]
const root = await mkdtemp(join(tmpdir(), 'facekit-kill-'))
const random = createRandom(Number(values.seed))

const all = (await readdir(source, { recursive: true })).filter((name) => /\.(jpe?g|png)$/i.test(name)).sort()
const count = Number(values.pictures)
const list = Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)])
await writeFile(join(root, 'list.txt'), list.join('\n'))

interface Moment {
  /** Photographs that are labelled before. */
  pictures: number
  /** Milliseconds after the last of them. */
  wait: number
}

/** Runs the command; with a moment, kills it then. */
async function annotate(out: string, moment?: Moment): Promise<{ done: string[]; code: number | null }> {
  const options = ['--list', join(root, 'list.txt'), '--per-shard', '16', '--layout', values.layout, '--json']
  const [program, ...before] = command
  const child = spawn(
    program,
    [...before, 'annotate', source, '-o', join(root, out), '--workers', values.workers, ...options],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let text = ''
  let timer: NodeJS.Timeout | undefined
  child.stdout.on('data', (data: Buffer) => {
    text += data
    // One line is written before the first photograph.
    const enough = moment && text.split('\n').length - 2 >= moment.pictures
    if (enough) timer ??= setTimeout(() => child.kill('SIGKILL'), moment.wait)
  })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  clearTimeout(timer)
  const events = text
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as { event: string; picture?: string })
  return { done: events.flatMap(({ event, picture }) => (event === 'picture' ? [picture!] : [])), code }
}

async function filesOf(folder: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = new Map<string, Buffer>()
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile()) files.set(path.slice(folder.length + 1), await readFile(path))
  }
  return files
}

const started = performance.now()
const undisturbed = await annotate('undisturbed')
const perPicture = (performance.now() - started) / count
console.log(
  `undisturbed: exit code ${undisturbed.code}, ${undisturbed.done.length} pictures, ${perPicture.toFixed(0)} ms each`,
)

const expected = await filesOf(join(root, 'undisturbed'))
let problems = 0
let seen: string[] = []
let round = 0

/** Compares what is finished with the undisturbed run, and makes room for another try. */
async function compare(code: number | null): Promise<void> {
  const actual = await filesOf(join(root, `killed-${round}`))
  const differing = [...new Set([...expected.keys(), ...actual.keys()])].filter(
    (name) => !expected.get(name)?.equals(actual.get(name) ?? Buffer.alloc(0)),
  )
  const twice = seen.length - new Set(seen).size
  if (differing.length > 0 || twice > 0 || code !== undisturbed.code) problems++
  console.log(
    `finished: exit code ${code}, ${new Set(seen).size} of ${count} pictures reported done, ${twice} of them twice; ${expected.size} files, ${differing.length} differ${differing.length > 0 ? `: ${differing.join(', ')}` : ''}`,
  )
  seen = []
  round++
}

const kills = Number(values.kills)
for (let kill = 0; kill < kills;) {
  // Now and then a run ends before it is killed: then all begins anew.
  const most = Math.max(1, Math.floor((2 * count) / kills))
  const moment = { pictures: random.integer(most), wait: random.uniform(0, 2 * perPicture) }
  const { done, code } = await annotate(`killed-${round}`, moment)
  seen.push(...done)
  if (code === null) console.log(`kill ${++kill}: after ${done.length} pictures, ${seen.length} in all`)
  else await compare(code)
}
const last = await annotate(`killed-${round}`)
seen.push(...last.done)
await compare(last.code)
console.log(`${kills} kills, ${round} results, ${problems} of them wrong`)
await rm(root, { recursive: true })
process.exitCode = problems > 0 ? 1 : 0
