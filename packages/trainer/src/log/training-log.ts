import { appendToFile, readRegularFile, writeFileAtomic } from '@facekit/core'
import { encodePng, type PictureArray } from '@facekit/export'
import { encodeEvent, type TrainingEvent } from './event-file.js'

/** A line of `log.jsonl`. */
export interface LogLine {
  /** Iterations that are done. */
  iteration: number
  loss?: number
  terms?: Record<string, number>
  learningRate?: number
  /** With `clipNorm`: before clipping. */
  gradientNorm?: number
  /** In mixed precision: what losses are multiplied by before they are differentiated. */
  lossScale?: number
  /** In mixed precision: steps of this process so far whose gradients were not finite, and which changed nothing. */
  skippedSteps?: number
  /** Iterations in a second. */
  speed?: number
  waitShare?: number
  evaluation?: Record<string, number>
  /** Path of a picture, from the folder. */
  panel?: string
  event?: string
  /** ISO 8601. */
  time?: string
}

/** The log of a training: JSON lines, TensorBoard events, and panels. */
export class TrainingLog {
  readonly #folder: string
  readonly #events: string

  /** What was last logged of the training that is gone on with. */
  readonly before: Pick<LogLine, 'loss' | 'terms' | 'evaluation'>

  private constructor(folder: string, events: string, lines: readonly LogLine[]) {
    this.#folder = folder
    this.#events = events
    const { loss, terms } = lines.findLast((line) => line.loss !== undefined) ?? {}
    const evaluation = lines.findLast((line) => line.evaluation !== undefined)?.evaluation
    this.before = { loss, terms, evaluation }
  }

  /** @param from - lines after this iteration are of a run that is not gone on with, and go */
  static async open(folder: string, from: number): Promise<TrainingLog> {
    const { mkdir } = await import('node:fs/promises')
    const { join } = await import('node:path')
    await mkdir(folder, { recursive: true })
    const path = join(folder, 'log.jsonl')
    const lines = (await readTrainingLog(path)).filter(({ iteration }) => iteration <= from)
    await writeFileAtomic(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    // Ordered by time, as TensorBoard reads them.
    const events = join(folder, `events.out.tfevents.${Date.now() / 1000}.facekit`)
    const log = new TrainingLog(folder, events, lines)
    await appendToFile(events, encodeEvent({ time: now(), step: 0, version: 'brain.Event:2' }))
    await log.#event({ time: now(), step: from, starts: true })
    return log
  }

  async write(line: LogLine): Promise<void> {
    const { join } = await import('node:path')
    const text = `${JSON.stringify({ ...line, time: new Date().toISOString() })}\n`
    await appendToFile(join(this.#folder, 'log.jsonl'), text)
    const scalars = scalarsOf(line)
    if (Object.keys(scalars).length > 0) await this.#event({ time: now(), step: line.iteration, scalars })
  }

  /** Stores a picture as PNG in the folder `panels`. */
  async writePanel(iteration: number, picture: PictureArray): Promise<void> {
    const { mkdir } = await import('node:fs/promises')
    const { join } = await import('node:path')
    const png = encodePng(picture)
    const panel = `panels/panel-${String(iteration).padStart(9, '0')}.png`
    // Not its parents: a folder that was removed is to be found out.
    await mkdir(join(this.#folder, 'panels')).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
    await writeFileAtomic(join(this.#folder, panel), png)
    const [height, width] = picture.shape
    await this.#event({ time: now(), step: iteration, images: { panel: { png, width, height } } })
    await this.write({ iteration, panel })
  }

  async #event(event: TrainingEvent): Promise<void> {
    await appendToFile(this.#events, encodeEvent(event))
  }
}

const now = () => Date.now() / 1000

function scalarsOf(line: LogLine): Record<string, number> {
  const named: [string, number | undefined][] = [
    ['loss/total', line.loss],
    ...Object.entries(line.terms ?? {}).map(([name, value]): [string, number] => [`loss/${name}`, value]),
    ...Object.entries(line.evaluation ?? {}).map(([name, value]): [string, number] => [
      `evaluation/${name}`,
      value,
    ]),
    ['training/learning_rate', line.learningRate],
    ['training/gradient_norm', line.gradientNorm],
    ['training/loss_scale', line.lossScale],
    ['training/skipped_steps', line.skippedSteps],
    ['training/iterations_per_second', line.speed],
    ['training/wait_share', line.waitShare],
  ]
  return Object.fromEntries(named.filter((entry): entry is [string, number] => entry[1] !== undefined))
}

/** Reads a log, and believes nothing; lines that are none (the last one may be cut off), and fields of another kind than they should be,
 * are skipped. A missing file is empty. */
export async function readTrainingLog(path: string): Promise<LogLine[]> {
  const bytes = await readRegularFile(path).catch(() => new Uint8Array())
  return new TextDecoder().decode(bytes).split('\n').flatMap(parseLogLine)
}

function parseLogLine(text: string): LogLine[] {
  let value: Partial<Record<keyof LogLine, unknown>>
  try {
    value = JSON.parse(text) as typeof value
  } catch {
    return []
  }
  if (typeof value !== 'object' || value === null || !isNumber(value.iteration)) return []
  // In the order of the file, which is written again when a training goes on.
  const kept = Object.entries(value).flatMap(([name, field]): [string, unknown][] => {
    if (NUMBERS.has(name)) return isNumber(field) ? [[name, field]] : []
    if (TEXTS.has(name)) return typeof field === 'string' ? [[name, field]] : []
    if (!GROUPS.has(name) || typeof field !== 'object' || field === null || Array.isArray(field)) return []
    return [[name, Object.fromEntries(Object.entries(field).filter((entry) => isNumber(entry[1])))]]
  })
  return [Object.fromEntries(kept) as unknown as LogLine]
}

const NUMBERS = new Set(['iteration', 'loss', 'learningRate', 'gradientNorm', 'speed', 'waitShare'])
const GROUPS = new Set(['terms', 'evaluation'])
const TEXTS = new Set(['panel', 'event', 'time'])
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
