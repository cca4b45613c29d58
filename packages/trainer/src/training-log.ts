import { writeFileAtomic } from '@facekit/core'

/** A line of `log.jsonl`. */
export interface LogLine {
  /** Iterations that are done. */
  iteration: number
  loss?: number
  terms?: Record<string, number>
  learningRate?: number
  gradientNorm?: number
  /** Iterations in a second. */
  speed?: number
  waitShare?: number
  evaluation?: Record<string, number>
  event?: string
  /** ISO 8601. */
  time?: string
}

/** The log of a training as JSON lines: one object a line, the newest last. */
export class TrainingLog {
  readonly #path: string

  private constructor(path: string) {
    this.#path = path
  }

  /** @param from - lines after this iteration are of a run that is not gone on with, and go */
  static async open(folder: string, from: number): Promise<TrainingLog> {
    const { mkdir } = await import('node:fs/promises')
    const { join } = await import('node:path')
    await mkdir(folder, { recursive: true })
    const path = join(folder, 'log.jsonl')
    const lines = (await readTrainingLog(path)).filter(({ iteration }) => iteration <= from)
    await writeFileAtomic(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    return new TrainingLog(path)
  }

  async write(line: LogLine): Promise<void> {
    const { appendFile } = await import('node:fs/promises')
    await appendFile(this.#path, `${JSON.stringify({ ...line, time: new Date().toISOString() })}\n`)
  }
}

/** Reads a log; a last line that was cut off is left out, and so is a file that is not there. */
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
