// A process that reads damaged files as its parent says: fuzz-farm.ts. What it does not survive, the parent finds out.
import { readFileSync, writeFileSync } from 'node:fs'
import { createRandom, FacekitError, type Random } from '@facekit/core'
import { dataTargets } from './data-targets.js'
import { evaluationTargets } from './evaluation-targets.js'
import type { FuzzTargets } from './fuzz-target.js'
import { modelTargets } from './model-targets.js'
import { damage } from './mutate.js'
import { networkTargets } from './network-targets.js'
import { pictureTargets } from './picture-targets.js'

/** What is asked for. */
export interface FuzzRequest {
  target: string
  seed: number
  /** Numbers of the mutations. */
  first: number
  last: number
  /** Whether the file is read as users read it, in a thread that is ended after some time. */
  isolated?: boolean
}

/** What became of one mutation. */
export interface FuzzAnswer {
  index: number
  outcome: 'typed' | 'valid' | 'untyped' | 'polluted'
  message?: string
  milliseconds: number
  /** Length of the file, and what the process grew by while it was read; 0 where that is not known. */
  bytes: number
  memory: number
}

/** Refused whatever they hold; or, as settings, run with a model that is not there; or made with a checksum of 0. */
const NEVER_READ = new Set(['pickle', 'training-settings', 'dataset-settings', 'checkpoint'])

// Others would mix with what is measured; decoders print.
for (const name of ['log', 'warn', 'error', 'info'] as const) console[name] = () => {}
const targets: FuzzTargets = {
  ...(await modelTargets()),
  ...(await pictureTargets()),
  ...(await dataTargets()),
  ...(await evaluationTargets()),
  ...(await networkTargets()),
}
// A file that cannot be read whole would make every mutation a typed error.
const wholeFails: string[] = []
for (const [name, { files, read }] of Object.entries(targets)) {
  if (NEVER_READ.has(name)) continue
  for (const file of files) {
    try {
      await read(file.slice())
    } catch (error) {
      wholeFails.push(`${name}: ${String((error as Error)?.message ?? error)}`)
    }
  }
}
const send = (message: unknown) => new Promise<void>((resolve) => process.send!(message, () => resolve()))

process.on('message', async ({ target, seed, first, last, isolated }: FuzzRequest) => {
  const { files, repair = (bytes) => bytes, ...readers } = targets[target]
  const read = (isolated && readers.isolated) || readers.read
  for (let index = first; index < last; index++) {
    const random = randomOf(seed, index)
    const whole = files[index % files.length]
    const bytes = repair(damage(whole, random))
    const before = resetPeak()
    const started = performance.now()
    let answer: Pick<FuzzAnswer, 'outcome' | 'message'>
    await send({ started: index })
    try {
      await read(bytes)
      answer = { outcome: 'valid' }
    } catch (error) {
      const isTyped = error instanceof FacekitError
      answer = {
        outcome: isTyped ? 'typed' : 'untyped',
        message: String((error as Error)?.stack ?? error).slice(0, 400),
      }
    }
    if (({} as { polluted?: unknown }).polluted !== undefined) answer = { outcome: 'polluted' }
    const memory = before === 0 ? 0 : Math.max(0, status('VmHWM') - before)
    await send({ index, ...answer, milliseconds: performance.now() - started, bytes: bytes.length, memory })
  }
  await send({ done: true })
})
const isolated = Object.keys(targets).filter((name) => targets[name].isolated)
await send({ ready: Object.keys(targets), isolated, wholeFails })

/** Numbers of one mutation: those of neighbouring seeds begin alike, so the seed is a hash, and the first numbers are passed over. */
function randomOf(seed: number, index: number): Random {
  let hash = 0x811c9dc5
  for (const letter of `${seed}:${index}`) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193) >>> 0
  const random = createRandom(hash)
  for (let i = 0; i < 16; i++) random.uniform()
  return random
}

/** Bytes of a field of /proc/self/status; 0 where there is none. */
function status(field: string): number {
  try {
    const text = readFileSync('/proc/self/status', 'utf8')
    return 1024 * Number(new RegExp(`${field}:\\s+(\\d+)`).exec(text)?.[1] ?? 0)
  } catch {
    return 0
  }
}

/** Forgets the largest size that the process had; gives its size now. */
function resetPeak(): number {
  try {
    writeFileSync('/proc/self/clear_refs', '5')
  } catch {
    return 0
  }
  return status('VmRSS')
}
