// Kills every long command at many random moments, several at a time; runs each again to its end, and compares with an undisturbed run, byte by
// byte. May be stopped whenever one likes, and goes on with the same command. See docs/reliability.md.
//
//   npm run faults:kills -- STATE [--kills 50] [--processes 2] [--seed 1] [--seconds n] [--work folder]
//     [command ...]
//
// STATE: a folder for what was done (a small JSON for each trial, report.md with the table). --work: for files of the commands (STATE/work). --seconds:
// begins no trial later. With several processes each has a processor of its own, where there is `taskset`. FACEKIT_PROGRAM: a built command instead of the
// sources.
import { execFileSync } from 'node:child_process'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { faultScenarios } from './fault-scenarios.js'
import { digestsOf } from './output-digests.js'
import { killsInRow, killTrial, type KillTrial, type Reference } from './kill-trial.js'
import { runCommand } from './run-command.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: 'string', default: '50' },
    processes: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: 'Infinity' },
    work: { type: 'string' },
  },
})
const [state, ...named] = positionals
if (state === undefined) throw new Error('kill-farm: expected a folder for what was done')
const names = named.length > 0 ? named : Object.keys(faultScenarios)
const unknown = names.find((name) => !(name in faultScenarios))
if (unknown !== undefined)
  throw new Error(
    `there is no command "${unknown}", expected some of ${Object.keys(faultScenarios).join(', ')}`,
  )
const work = values.work ?? join(state, 'work')
const kills = Number(values.kills)
const deadline = performance.now() + 1000 * Number(values.seconds)

/** A command, and what was done with it. */
class Farmed {
  readonly scenario
  readonly folder: string
  readonly input: string
  reference?: Reference
  /** By number. */
  readonly trials = new Map<number, KillTrial>()
  /** Trials that have begun, or were done before, and how often they kill. */
  readonly #planned = new Map<number, number>()

  constructor(readonly name: string) {
    this.scenario = faultScenarios[name]
    this.folder = join(state, name.replace(' ', '-'))
    this.input = join(work, `${name.replace(' ', '-')}-input`)
  }

  /** Reads what was done before. */
  async open(): Promise<void> {
    await mkdir(this.folder, { recursive: true })
    for (const file of await readdir(this.folder)) {
      const number = /^trial-(\d+)\.json$/.exec(file)?.[1]
      const content = file.endsWith('.json')
        ? (JSON.parse(await readFile(join(this.folder, file), 'utf8')) as unknown)
        : undefined
      if (file === 'reference.json') this.reference = content as Reference
      else if (number !== undefined) this.#done(Number(number), content as KillTrial)
    }
    // Input is made once: what an earlier run left is used as it is.
    if (this.reference) return
    await rm(this.input, { recursive: true, force: true })
    await mkdir(this.input, { recursive: true })
    await this.scenario.prepare(this.input)
  }

  get kills(): number {
    return [...this.trials.values()].reduce((sum, trial) => sum + trial.kills.length, 0)
  }

  /** How many kills are done, or on the way. */
  get plannedKills(): number {
    return [...this.#planned.values()].reduce((sum, count) => sum + count, 0)
  }

  async makeReference(launcher: string[]): Promise<void> {
    const out = join(work, `${this.name.replace(' ', '-')}-reference`)
    await rm(out, { recursive: true, force: true })
    const ending = await runCommand(this.scenario.argv(this.input, out), undefined, [], launcher)
    if (ending.code !== 0) throw new Error(`${this.name} ended with ${ending.code}: ${ending.stderr}`)
    this.reference = { digests: await digestsOf(out, this.scenario), milliseconds: ending.milliseconds }
    await writeJson(join(this.folder, 'reference.json'), this.reference)
    console.log(
      `${this.name}: ${Object.keys(this.reference.digests).length} files in ${(ending.milliseconds / 1000).toFixed(1)} s`,
    )
  }

  async runTrial(launcher: string[]): Promise<void> {
    let number = 0
    while (this.#planned.has(number)) number++
    const seed = 1000 * Number(values.seed) + number
    this.#planned.set(number, killsInRow(seed))
    const { scenario, input } = this
    const out = join(work, `${this.name.replace(' ', '-')}-${number}`)
    const trial = await killTrial(seed, { scenario, reference: this.reference!, input, out, launcher })
    await writeJson(join(this.folder, `trial-${number}.json`), trial)
    this.#done(number, trial)
    for (const problem of trial.problems) console.error(`FAILED: ${this.name}: trial ${number}: ${problem}`)
    await writeAtomic(join(state, 'report.md'), reportOf(farmed))
  }

  #done(number: number, trial: KillTrial): void {
    this.trials.set(number, trial)
    this.#planned.set(number, trial.kills.length)
  }
}

const farmed = names.map((name) => new Farmed(name))

function reportOf(commands: readonly Farmed[]): string {
  const lines = [
    '| command | undisturbed | kills | of them before the first file, after the last | reruns | problems |',
    '|---|--:|--:|--:|--:|--:|',
  ]
  for (const { name, reference, trials, kills: count } of commands) {
    const all = [...trials.values()]
    const files = Object.keys(reference?.digests ?? {}).length
    const at = all.flatMap((trial) => trial.kills.map((kill) => kill.files))
    const ends = `${at.filter((n) => n === 0).length}, ${at.filter((n) => n === files).length}`
    const seconds = ((reference?.milliseconds ?? 0) / 1000).toFixed(1)
    const problems = all.flatMap((trial) => trial.problems).length
    lines.push(
      `| \`${name}\` | ${files} files, ${seconds} s | ${count} | ${ends} | ${all.length} | ${problems} |`,
    )
  }
  return `${lines.join('\n')}\n`
}

const writeJson = (path: string, value: unknown) => writeAtomic(path, `${JSON.stringify(value)}\n`)

async function writeAtomic(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.${written++}.part`
  await writeFile(temporary, text)
  await rename(temporary, path)
}
let written = 0

/** What starts a process on one processor, for each process. */
async function launchers(count: number): Promise<string[][]> {
  const none = Array.from({ length: count }, () => [])
  if (count < 2) return none
  try {
    const text = await readFile('/proc/self/status', 'utf8')
    const processors = (/^Cpus_allowed_list:\s*(.*)$/m.exec(text)?.[1] ?? '').split(',').flatMap((range) => {
      const [from, to = from] = range.split('-').map(Number)
      return Array.from({ length: to - from + 1 }, (_, i) => from + i)
    })
    execFileSync('taskset', ['-c', `${processors[0]}`, 'true'], { stdio: 'ignore' })
    return none.map((_, i) => ['taskset', '-c', `${processors[i % processors.length]}`])
  } catch {
    return none
  }
}

for (const command of farmed) await command.open()
const withoutReference = farmed.filter((command) => command.reference === undefined)
const slots = await launchers(Number(values.processes))
const take = async (launcher: string[]) => {
  while (performance.now() < deadline) {
    const first = withoutReference.shift()
    if (first) {
      await first.makeReference(launcher)
      continue
    }
    const open = farmed.filter((command) => command.reference && command.plannedKills < kills)
    const next = open.toSorted((a, b) => a.plannedKills - b.plannedKills)[0]
    if (next) await next.runTrial(launcher)
    // Others may still find their command ended before it was killed.
    else if (farmed.every((command) => command.kills >= kills)) return
    else await new Promise((resolve) => setTimeout(resolve, 500))
  }
}
await Promise.all(slots.map(take))
const report = reportOf(farmed)
await writeAtomic(join(state, 'report.md'), report)
console.log(report)
process.exitCode = farmed.some(({ trials }) => [...trials.values()].some((t) => t.problems.length > 0))
  ? 1
  : 0
