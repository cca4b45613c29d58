import { writeFileAtomic } from '@facekit/core'
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

  private constructor(folder: string, events: string) {
    this.#folder = folder
    this.#events = events
  }

  /** @param from - lines after this iteration are of a run that is not gone on with, and go */
  static async open(folder: string, from: number): Promise<TrainingLog> {
    const { mkdir, writeFile } = await import('node:fs/promises')
    const { join } = await import('node:path')
    await mkdir(folder, { recursive: true })
    const path = join(folder, 'log.jsonl')
    const lines = (await readTrainingLog(path)).filter(({ iteration }) => iteration <= from)
    await writeFileAtomic(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    // Ordered by time, as TensorBoard reads them.
    const events = join(folder, `events.out.tfevents.${Date.now() / 1000}.facekit`)
    const log = new TrainingLog(folder, events)
    await writeFile(events, encodeEvent({ time: now(), step: 0, version: 'brain.Event:2' }))
    await log.#event({ time: now(), step: from, starts: true })
    return log
  }

  async write(line: LogLine): Promise<void> {
    const { appendFile } = await import('node:fs/promises')
    const { join } = await import('node:path')
    const text = `${JSON.stringify({ ...line, time: new Date().toISOString() })}\n`
    await appendFile(join(this.#folder, 'log.jsonl'), text)
    const scalars = scalarsOf(line)
    if (Object.keys(scalars).length > 0) await this.#event({ time: now(), step: line.iteration, scalars })
  }

  /** Stores a picture as PNG in the folder `panels`. */
  async writePanel(iteration: number, picture: PictureArray): Promise<void> {
    const { mkdir } = await import('node:fs/promises')
    const { join } = await import('node:path')
    const png = encodePng(picture)
    const panel = `panels/panel-${String(iteration).padStart(9, '0')}.png`
    await mkdir(join(this.#folder, 'panels'), { recursive: true })
    await writeFileAtomic(join(this.#folder, panel), png)
    const [height, width] = picture.shape
    await this.#event({ time: now(), step: iteration, images: { panel: { png, width, height } } })
    await this.write({ iteration, panel })
  }

  async #event(event: TrainingEvent): Promise<void> {
    const { appendFile } = await import('node:fs/promises')
    await appendFile(this.#events, encodeEvent(event))
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
    ['training/iterations_per_second', line.speed],
    ['training/wait_share', line.waitShare],
  ]
  return Object.fromEntries(named.filter((entry): entry is [string, number] => entry[1] !== undefined))
}

/** Reads a log; a last line that was cut off is skipped, and a missing file is empty. */
export async function readTrainingLog(path: string): Promise<LogLine[]> {
  const { readFile } = await import('node:fs/promises')
  const text = await readFile(path, 'utf8').catch(() => '')
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as LogLine]
    } catch {
      return []
    }
  })
}
