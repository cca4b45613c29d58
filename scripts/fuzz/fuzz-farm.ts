// Reads damaged files of every format: each must give a typed error or a valid result, within 10 s, with memory of at most four times the
// file and a constant; never a crash. See docs/reliability.md.
//
//   npm run fuzz -- [--mutations 300] [--seed 1] [--first 0] [--state fuzz.json] [--minutes n] [--day] [target ...]
//
// --state keeps what was done in a file, and goes on there, so that 10,000 mutations can be had over days; --minutes ends a run early, with
// about as many of each format. --day takes the part of them that belongs to today, as CI does. A failure is printed with the command that
// repeats it.
import { fork, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { FuzzAnswer, FuzzRequest } from './fuzz-child.js'

/** Of the processor's time where the system tells it, as on a busy machine a reader may have to wait for its turn. */
const LIMIT_MILLISECONDS = 10_000
/** Of time by the clock: a reader that waits for something does not work. */
const LONGEST_WAIT = 30 * LIMIT_MILLISECONDS
const CONSTANT = 128 * 2 ** 20
const RATIO = 4
/** Mutations of a part, of which each target has a number every day. */
const WHOLE = 10_000
/** Mutations of one target before the next one's turn: a run that is ended early has read as many of each. */
const TURN = 250

interface Counts {
  next: number
  typed: number
  valid: number
  /** Of the typed errors: those that came when a thread was ended, as it took too long. */
  ended: number
  failures: string[]
  slowest: number
  memory: number
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    mutations: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    first: { type: 'string', default: '0' },
    state: { type: 'string' },
    minutes: { type: 'string', default: 'Infinity' },
    day: { type: 'boolean', default: false },
    processes: { type: 'string', default: String(Math.min(2, cpus().length)) },
  },
})
const mutations = Number(values.mutations)
const seed = Number(values.seed)
const deadline = performance.now() + Number(values.minutes) * 60_000
const parts = Math.ceil(WHOLE / mutations)
const offset = values.day ? (Math.floor(Date.now() / 86_400_000) % parts) * mutations : Number(values.first)

const child = fileURLToPath(new URL('fuzz-child.ts', import.meta.url))
const state: Record<string, Counts> = values.state
  ? (JSON.parse(await readFile(values.state, 'utf8').catch(() => '{}')) as Record<string, Counts>)
  : {}

interface Runner {
  process: ChildProcess
  targets: string[]
  /** Those of them that can be read in a thread of its own, which is ended when it takes too long. */
  isolated: string[]
}

async function start(): Promise<Runner> {
  const process_ = fork(child, [], {
    execArgv: ['--conditions=@facekit/source', '--import', 'tsx', '--max-old-space-size=1024'],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const ready = await new Promise<Omit<Runner, 'process'>>((resolve, reject) => {
    process_.once('message', (message: { ready: string[]; isolated: string[]; wholeFails: string[] }) => {
      for (const line of message.wholeFails) reject(new Error(`a whole file cannot be read: ${line}`))
      resolve({ targets: message.ready, isolated: message.isolated })
    })
    process_.once('exit', (code, signal) =>
      reject(new Error(`the child ended at its start with ${signal ?? code}`)),
    )
  })
  process_.removeAllListeners('exit')
  return { process: process_, ...ready }
}

/** Has mutations read; gives the number of the one that the child did not survive, and why. */
function read(
  runner: Runner,
  request: FuzzRequest,
  counts: Counts,
): Promise<{ index: number; why: string } | undefined> {
  return new Promise((resolve) => {
    let [current, late] = [request.first, false]
    let timer: NodeJS.Timeout | undefined
    const end = (result?: { index: number; why: string }) => {
      clearInterval(timer)
      runner.process.removeAllListeners()
      resolve(result)
    }
    runner.process.on('exit', (code, signal) =>
      end({
        index: current,
        why: late ? `took longer than ${LIMIT_MILLISECONDS} ms` : `ended the process with ${signal ?? code}`,
      }),
    )
    runner.process.on('message', (message: FuzzAnswer & { started?: number; done?: boolean }) => {
      clearInterval(timer)
      if (message.done) return end()
      if (message.started !== undefined) {
        current = message.started
        const [began, worked] = [performance.now(), processorTime(runner.process.pid!)]
        timer = setInterval(() => {
          const waited = performance.now() - began
          const working =
            worked === undefined ? waited : (processorTime(runner.process.pid!) ?? Infinity) - worked
          if (working < LIMIT_MILLISECONDS && waited < LONGEST_WAIT) return
          late = true
          runner.process.kill('SIGKILL')
        }, LIMIT_MILLISECONDS)
        return
      }
      note(request.target, message, counts)
    })
    runner.process.send(request)
  })
}

/** Milliseconds that a process has worked; nothing where the system does not say. */
function processorTime(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    // Of a hundredth of a second each.
    return 10 * (Number(fields[11]) + Number(fields[12]))
  } catch {
    return undefined
  }
}

function note(
  target: string,
  { index, outcome, message, milliseconds, bytes, memory }: FuzzAnswer,
  counts: Counts,
): void {
  counts.next = index + 1
  counts.slowest = Math.max(counts.slowest, milliseconds)
  counts.memory = Math.max(counts.memory, memory)
  if (outcome === 'typed' || outcome === 'valid') counts[outcome]++
  else fail(target, index, `${outcome}: ${message ?? ''}`, counts)
  if (memory > RATIO * bytes + CONSTANT)
    fail(target, index, `took ${memory} bytes for a file of ${bytes}`, counts)
}

function fail(target: string, index: number, why: string, counts: Counts): void {
  const line = `${target} ${index}: ${why.replaceAll(/\s+/g, ' ')}\n  npm run fuzz -- --seed ${seed} --first ${index} --mutations 1 ${target}`
  counts.failures.push(line)
  console.error(`FAILED: ${line}`)
}

/** The last time that the state was written; several runners end their turns at once. */
let saved = Promise.resolve()

function save(): Promise<void> {
  const { state: path } = values
  if (!path) return saved
  saved = saved.then(async () => {
    await writeFile(`${path}.tmp`, JSON.stringify(state, null, 1))
    await rename(`${path}.tmp`, path)
  })
  return saved
}

/** Works through targets in turns until all are done or time is up. */
async function work(queue: string[], runner: Runner): Promise<void> {
  const last = offset + mutations
  for (let target = queue.shift(); target; target = queue.shift()) {
    const counts = (state[target] = { ...newCounts(), ...state[target] })
    const end = Math.min(last, counts.next + TURN)
    while (counts.next < end) {
      const dead = await read(runner, { target, seed, first: counts.next, last: end }, counts)
      if (!dead) break
      runner = await start()
      const { index: first } = dead
      const again = runner.isolated.includes(target)
        ? await read(runner, { target, seed, first, last: first + 1, isolated: true }, counts)
        : dead
      counts.next = first + 1
      if (!again) {
        counts.ended++
        continue
      }
      fail(target, first, again.why, counts)
      if (again !== dead) runner = await start()
    }
    await save()
    if (counts.next >= last || performance.now() > deadline) print(target, counts)
    else queue.push(target)
  }
  runner.process.removeAllListeners()
  runner.process.kill()
}

const newCounts = (): Counts => ({
  next: offset,
  typed: 0,
  valid: 0,
  ended: 0,
  failures: [],
  slowest: 0,
  memory: 0,
})

function print(target: string, { typed, valid, ended, failures, slowest, memory }: Counts): void {
  console.log(
    `${target.padEnd(26)} ${String(typed + valid + failures.length).padStart(6)} read: ${typed} typed errors${ended ? ` (${ended} by a time limit)` : ''}, ${valid} valid, ${failures.length} failures; slowest ${slowest.toFixed(0)} ms, most memory ${(memory / 2 ** 20).toFixed(0)} MiB`,
  )
}

const first = await start()
const unknown = positionals.find((name) => !first.targets.includes(name))
if (unknown !== undefined) {
  console.error(`fuzz: there is no target "${unknown}", expected some of ${first.targets.join(', ')}`)
  process.exit(1)
}
const queue = positionals.length > 0 ? [...positionals] : [...first.targets]
console.log(`mutations ${offset} to ${offset + mutations - 1} of seed ${seed}, ${queue.length} formats`)
const others = await Promise.all(
  Array.from({ length: Math.min(queue.length, Number(values.processes)) - 1 }, start),
)
await Promise.all([first, ...others].map((runner) => work(queue, runner)))
const failures = Object.values(state).flatMap((counts) => counts.failures)
console.log(`${failures.length} failures`)
process.exitCode = failures.length > 0 ? 1 : 0
