// Ends, starves and disturbs the long commands at random moments, runs them again, and compares what they leave with what an undisturbed
// run left, byte by byte. See docs/reliability.md.
//
//   npm run faults -- [--kills 50] [--times 1] [--seed 1] [--minutes n] [--only fault]... [command ...]
//
// --kills: kill -9 at so many random moments of each command, up to five in a row before it may end; --times: how often each other fault;
// --minutes: ends each fault early, and says how often it was tried. Faults of disks need a small tmpfs, which only root may mount: without, they
// are skipped visibly. So is the loss of a GPU device, unless FACEKIT_LOSE_AFTER says after how many milliseconds (with SwiftShader: VK_DRIVER_FILES).
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createRandom } from '@facekit/core'
import { faultScenarios, type FaultScenario } from './fault-scenarios.js'
import { differencesOf, digestsOf } from './output-digests.js'
import { childrenOf, killGroup, killOne, runCommand, type Ending } from './run-command.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: 'string', default: '50' },
    times: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: 'Infinity' },
    only: { type: 'string', multiple: true },
  },
})
const [kills, times] = [Number(values.kills), Number(values.times)]
const random = createRandom(Number(values.seed))
const problems: string[] = []

/** What is being tried. */
interface Trial {
  name: string
  scenario: FaultScenario
  input: string
  root: string
  /** Of an undisturbed run: what it left, and how long it took. */
  reference: Record<string, string>
  milliseconds: number
}

const moment = (trial: Trial) => random.uniform() * trial.milliseconds * 1.05
let folders = 0
/** Of the command that is tried: how often it was killed. */
let killed = 0
const newOut = (trial: Trial) => join(trial.root, `out-${folders++}`)

/** Runs the command to its end, and compares. */
async function rerun(
  trial: Trial,
  out: string,
  what: string,
  node: string[] = [],
  launcher: string[] = [],
): Promise<void> {
  const ending = await runCommand(trial.scenario.argv(trial.input, out), undefined, node, launcher)
  if (ending.code !== 0 && !trial.scenario.refusesWhole?.test(ending.stderr))
    return problem(trial, what, `the rerun ended with ${ending.code}: ${lastLine(ending)}`)
  await compare(trial, out, what)
}

async function compare(trial: Trial, out: string, what: string): Promise<void> {
  const different = differencesOf(await digestsOf(out, trial.scenario), trial.reference)
  if (different.length > 0) problem(trial, what, `differs in ${different.join(', ')}`)
}

function problem(trial: Trial, what: string, why: string): void {
  problems.push(`${trial.name}: ${what}: ${why}`)
  console.error(`FAILED: ${problems.at(-1)}`)
}

const lastLine = ({ stderr }: Ending) => stderr.trim().split('\n').at(-1) ?? ''

/** A command that was disturbed says one line, and ends with a code that is documented. */
function checkEnding(trial: Trial, what: string, ending: Ending, codes: readonly (number | null)[]): void {
  if (!codes.includes(ending.code))
    problem(trial, what, `ended with ${ending.code ?? ending.signal}: ${lastLine(ending)}`)
  if (/^\s+at .*:\d+:\d+/m.test(ending.stderr))
    problem(trial, what, `printed a stack: ${ending.stderr.slice(0, 300)}`)
}

const faults: Record<string, (trial: Trial) => Promise<string | void>> = {
  'kill -9': async (trial) => {
    const out = newOut(trial)
    const inRow = 1 + Math.floor(random.uniform() * 5)
    for (let i = 0; i < inRow && killed < kills; i++) {
      const at = moment(trial)
      const { signal } = await runCommand(trial.scenario.argv(trial.input, out), (child) => {
        const timer = setTimeout(() => killGroup(child, 'SIGKILL'), at)
        child.on('close', () => clearTimeout(timer))
      })
      if (signal !== 'SIGKILL') break
      killed++
    }
    await rerun(trial, out, 'kill -9')
    await rm(out, { recursive: true })
  },
  'SIGINT twice': async (trial) => {
    const out = newOut(trial)
    const at = Math.max(2500, moment(trial))
    const ending = await runCommand(trial.scenario.argv(trial.input, out), (child) => {
      for (const delay of [0, 150]) setTimeout(() => child.kill('SIGINT'), at + delay)
    })
    checkEnding(trial, 'SIGINT twice', ending, [0, 130])
    await rerun(trial, out, 'SIGINT twice')
    await rm(out, { recursive: true })
  },
  'a folder that vanishes': async (trial) => {
    const out = newOut(trial)
    const at = trial.milliseconds * (0.3 + 0.5 * random.uniform())
    const ending = await runCommand(trial.scenario.argv(trial.input, out), (child) => {
      const timer = setTimeout(
        () => void rm(out, { recursive: true, force: true, maxRetries: 5 }).catch(() => {}),
        at,
      )
      child.on('close', () => clearTimeout(timer))
    })
    checkEnding(trial, 'a folder that vanishes', ending, [0, 1])
    const isThere = await readdir(out).catch(() => [])
    if (ending.code === 0) {
      if (isThere.length === 0) problem(trial, 'a folder that vanishes', 'ended well without its results')
      else await compare(trial, out, 'a folder that vanishes, code 0')
    }
    await rm(out, { recursive: true, force: true })
    await rerun(trial, out, 'a folder that vanishes')
    await rm(out, { recursive: true })
  },
  'output that exists': async (trial) => {
    const out = newOut(trial)
    await rerun(trial, out, 'output that exists')
    await rerun(trial, out, 'output that exists')
    await rm(out, { recursive: true })
  },
  'two at once': async (trial) => {
    const out = newOut(trial)
    const argv = trial.scenario.argv(trial.input, out)
    const [first, second] = await Promise.all([runCommand(argv), runCommand(argv)])
    for (const ending of [first, second]) checkEnding(trial, 'two at once', ending, [0, 1])
    if (first.code !== 0 && second.code !== 0)
      problem(trial, 'two at once', `both ended with errors: ${lastLine(first)}`)
    await compare(trial, out, 'two at once')
    await rm(out, { recursive: true })
  },
  'two from one input': async (trial) => {
    const outs = [newOut(trial), newOut(trial)]
    const endings = await Promise.all(outs.map((out) => runCommand(trial.scenario.argv(trial.input, out))))
    for (const ending of endings) checkEnding(trial, 'two from one input', ending, [0])
    for (const out of outs) {
      await compare(trial, out, 'two from one input')
      await rm(out, { recursive: true })
    }
  },
  'a clock that is set back': async (trial) => {
    const out = newOut(trial)
    await runCommand(trial.scenario.argv(trial.input, out), (child) => {
      setTimeout(() => killGroup(child, 'SIGKILL'), trial.milliseconds * 0.6)
    })
    await rerun(trial, out, 'a clock that is set back', ['--import', './scripts/faults/clock-set-back.mjs'])
    await rm(out, { recursive: true })
  },
  'one processor': async (trial) => {
    try {
      execFileSync('taskset', ['-c', '0', 'true'], { stdio: 'ignore' })
    } catch {
      return 'there is no taskset'
    }
    // Thus one thread of WebAssembly, where the reference had one for each processor.
    const out = newOut(trial)
    await rerun(trial, out, 'one processor', [], ['taskset', '-c', '0'])
    await rm(out, { recursive: true })
  },
  'a worker that dies': async (trial) => {
    if (!['annotate', 'evaluate'].includes(trial.name)) return 'it has no workers'
    const out = newOut(trial)
    const ending = await runCommand(trial.scenario.argv(trial.input, out), (child) => {
      const timer = setInterval(() => {
        const [worker] = childrenOf(child.pid!).toSorted((a, b) => b - a)
        if (worker === undefined) return
        clearInterval(timer)
        setTimeout(() => killOne(worker), trial.milliseconds * 0.3 * random.uniform())
      }, 100)
      child.on('close', () => clearInterval(timer))
    })
    checkEnding(trial, 'a worker that dies', ending, [0])
    await compare(trial, out, 'a worker that dies')
    await rm(out, { recursive: true })
  },
  'a full memory of WebAssembly': async (trial) => {
    // 25 to 75 MiB, in place of 4 GiB: too little for a network, or nearly enough.
    const pages = Math.round(400 + 800 * random.uniform())
    const out = newOut(trial)
    const ending = await runCommand(trial.scenario.argv(trial.input, out), undefined, [
      `--wasm-max-mem-pages=${pages}`,
    ])
    const what = `a full memory of WebAssembly, ${pages} pages`
    checkEnding(trial, what, ending, [0, 1])
    if (ending.code === 1 && !/out of memory|no memory/.test(ending.stderr))
      problem(trial, what, `does not say so: ${lastLine(ending)}`)
    await rerun(trial, out, what)
    await rm(out, { recursive: true })
  },
  'a lost GPU device': async (trial) => {
    if (!process.env.FACEKIT_LOSE_AFTER) return 'FACEKIT_LOSE_AFTER is not set'
    const out = newOut(trial)
    const ending = await runCommand(
      trial.scenario.argv(trial.input, out).map((word) => (word === 'wasm' ? 'webgpu' : word)),
      undefined,
      ['--import', './scripts/faults/lose-device.mjs'],
    )
    checkEnding(trial, 'a lost GPU device', ending, [1])
    if (!ending.stderr.includes('device is lost'))
      problem(trial, 'a lost GPU device', `does not say so: ${lastLine(ending)}`)
    // On the backend of the reference, whose bytes are compared: what a GPU has left must not be taken for it.
    if (trial.scenario.atOnce) await rerun(trial, out, 'a lost GPU device')
    await rm(out, { recursive: true, force: true })
  },
  'a full disk': (trial) =>
    onSmallDisk(trial, 'a full disk', async (disk) => {
      const out = join(disk, 'out')
      const ending = await runCommand(trial.scenario.argv(trial.input, out))
      checkEnding(trial, 'a full disk', ending, [1])
      if (!/full|no space/.test(ending.stderr))
        problem(trial, 'a full disk', `does not say so: ${lastLine(ending)}`)
      execFileSync('mount', ['-o', 'remount,size=200m', disk])
      await rerun(trial, out, 'a full disk')
    }),
  'a disk that is read-only': (trial) =>
    onSmallDisk(trial, 'a disk that is read-only', async (disk) => {
      execFileSync('mount', ['-o', 'remount,ro,size=200m', disk])
      const out = join(disk, 'out')
      const ending = await runCommand(trial.scenario.argv(trial.input, out))
      checkEnding(trial, 'a disk that is read-only', ending, [1])
      execFileSync('mount', ['-o', 'remount,rw,size=200m', disk])
      await rerun(trial, out, 'a disk that is read-only')
    }),
}

/** Runs something on a disk of 64 kB. */
async function onSmallDisk(
  trial: Trial,
  what: string,
  work: (disk: string) => Promise<void>,
): Promise<string | void> {
  const disk = join(trial.root, `disk-${folders++}`)
  await mkdir(disk)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk], { stdio: 'ignore' })
  } catch {
    return 'no tmpfs can be mounted here'
  }
  try {
    await work(disk)
  } catch (error) {
    problem(trial, what, (error as Error).message)
  } finally {
    execFileSync('umount', ['-l', disk])
  }
}

const names = positionals.length > 0 ? positionals : Object.keys(faultScenarios)
const root = await mkdtemp(join(tmpdir(), 'facekit-faults-'))
try {
  for (const name of names) {
    const scenario = faultScenarios[name]
    if (!scenario)
      throw new Error(
        `there is no command "${name}", expected some of ${Object.keys(faultScenarios).join(', ')}`,
      )
    const input = join(root, `${name.replace(' ', '-')}-input`)
    await mkdir(input)
    await scenario.prepare(input)
    const trial: Trial = { name, scenario, input, root, reference: {}, milliseconds: 0 }
    const out = newOut(trial)
    const ending = await runCommand(scenario.argv(input, out))
    if (ending.code !== 0) throw new Error(`${name} ended with ${ending.code}: ${ending.stderr}`)
    trial.reference = await digestsOf(out, scenario)
    trial.milliseconds = ending.milliseconds
    console.log(
      `${name}: ${Object.keys(trial.reference).length} files in ${(ending.milliseconds / 1000).toFixed(1)} s`,
    )
    for (const [fault, inject] of Object.entries(faults)) {
      if (values.only && !values.only.includes(fault)) continue
      const before = problems.length
      let [done, skipped]: [number, string | void] = [0, undefined]
      killed = 0
      const deadline = performance.now() + Number(values.minutes) * 60_000
      const isEnough = () =>
        (done > 0 && performance.now() > deadline) || (fault === 'kill -9' ? killed >= kills : done >= times)
      while (!isEnough() && skipped === undefined) {
        skipped = await inject(trial)
        done++
      }
      const count = fault === 'kill -9' ? `${killed} kills, ${done} reruns` : `${done} times`
      const result =
        skipped === undefined ? `${count}, ${problems.length - before} problems` : `skipped: ${skipped}`
      console.log(`${name.padEnd(14)} ${fault.padEnd(26)} ${result}`)
    }
  }
} finally {
  await rm(root, { recursive: true, force: true })
}
console.log(`${problems.length} problems`)
for (const line of problems) console.log(`  ${line}`)
process.exitCode = problems.length > 0 ? 1 : 0
