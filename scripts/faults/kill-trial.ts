import { access, readdir, readFile, rm } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { createRandom } from '@facekit/core'
import type { FaultScenario } from './fault-scenarios.js'
import { differencesOf, digestsOf } from './output-digests.js'
import { killGroup, runCommand } from './run-command.js'

/** What an undisturbed run left, and how long it took. */
export interface Reference {
  digests: Record<string, string>
  milliseconds: number
}

/** One moment at which a command was killed. */
export interface Kill {
  /** After the start, in milliseconds. */
  at: number
  /** How many files of the undisturbed run were there by then. */
  files: number
}

/** A command that was killed, up to five times in a row, and then run to its end. */
export interface KillTrial {
  kills: Kill[]
  seconds: number
  problems: string[]
}

/** Where a trial takes place. */
export interface TrialPlace {
  scenario: FaultScenario
  reference: Reference
  input: string
  out: string
  /** What starts Node, with its options. */
  launcher: string[]
}

/** How often the trial of a seed kills, if the command does not end before. */
export const killsInRow = (seed: number): number => 1 + Math.floor(createRandom(seed).uniform() * 5)

/** Kills a command at random moments of its time, runs it once more, and compares what it leaves with what an undisturbed run left. */
export async function killTrial(seed: number, place: TrialPlace): Promise<KillTrial> {
  const { scenario, reference, input, out, launcher } = place
  const started = performance.now()
  const random = createRandom(seed)
  const inRow = 1 + Math.floor(random.uniform() * 5)
  const argv = scenario.argv(input, out)
  const trial: KillTrial = { kills: [], seconds: 0, problems: [] }
  await rm(out, { recursive: true, force: true })
  let hasEnded = false
  for (let i = 0; i < inRow; i++) {
    const at = random.uniform() * reference.milliseconds
    const { signal, code, stderr } = await runCommand(
      argv,
      (child) => {
        const timer = setTimeout(() => killGroup(child, 'SIGKILL'), at)
        child.on('close', () => clearTimeout(timer))
      },
      [],
      launcher,
    )
    if (signal !== 'SIGKILL') {
      // It was quicker; where it went on after a kill, this is the rerun.
      hasEnded = true
      if (code !== 0) trial.problems.push(`ended with ${code ?? signal}: ${stderr.slice(-300)}`)
      break
    }
    const { files, broken } = await filesAfterKill(out, scenario, reference)
    trial.kills.push({ at: Math.round(at), files })
    for (const name of broken) trial.problems.push(`half written after kill ${i + 1}: ${name}`)
  }
  if (!hasEnded) {
    const ending = await runCommand(argv, undefined, [], launcher)
    if (ending.code !== 0)
      trial.problems.push(
        `the rerun ended with ${ending.code ?? ending.signal}: ${ending.stderr.slice(-300)}`,
      )
  }
  if (trial.problems.every((problem) => problem.startsWith('half written'))) {
    const different = differencesOf(await digestsOf(out, scenario), reference.digests)
    if (different.length > 0) trial.problems.push(`the rerun differs in ${different.join(', ')}`)
  }
  trial.seconds = Math.round((performance.now() - started) / 1000)
  if (trial.problems.length === 0) await rm(out, { recursive: true })
  return trial
}

/** What is there under a name of the undisturbed run: how many files, and those that are no whole file of their kind. */
async function filesAfterKill(
  out: string,
  scenario: FaultScenario,
  { digests }: Reference,
): Promise<{ files: number; broken: string[] }> {
  const found = await readdir(out).then(
    () => digestsOf(out, scenario),
    () => ({}) as Record<string, string>,
  )
  const names = Object.keys(found).filter((name) => digests[name] !== undefined)
  const broken: string[] = []
  for (const name of names)
    if (found[name] !== digests[name] && !(await isWhole(out, name))) broken.push(name)
  return { files: names.length, broken }
}

/** Whether a file that will still change, such as a checkpoint, is whole as it is. A log grows line by line: its last one may be cut. */
async function isWhole(folder: string, name: string): Promise<boolean> {
  const bytes = await readFile(join(folder, name))
  // Of a training: the name of its checkpoint.
  if (name === 'latest')
    return access(join(folder, bytes.toString().trim())).then(
      () => bytes.length > 0,
      () => false,
    )
  switch (extname(name)) {
    case '.json':
      return isJson(bytes.toString())
    case '.jsonl':
      return bytes.toString().split('\n').slice(0, -1).every(isJson)
    case '.safetensors': {
      if (bytes.length < 8) return false
      const length = Number(bytes.readBigUInt64LE())
      const text = bytes.subarray(8, 8 + length).toString()
      if (bytes.length < 8 + length || !isJson(text)) return false
      const tensors = Object.values(JSON.parse(text) as Record<string, { data_offsets?: [number, number] }>)
      const end = Math.max(0, ...tensors.map(({ data_offsets }) => data_offsets?.[1] ?? 0))
      return bytes.length === 8 + length + end
    }
    case '.png':
      return bytes.subarray(-8, -4).toString('latin1') === 'IEND'
    case '.html':
      return /<\/html>\s*$/.test(bytes.toString())
    default:
      // All others are written once.
      return false
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
