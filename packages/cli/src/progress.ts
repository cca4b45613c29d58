import type { SingleBar } from 'cli-progress'
import type { CliIo } from './cli-io.js'

/** Reports progress. */
export interface Progress {
  /** Begins a piece of work: `"me.jpg: face 1 of 2: fitting"`. */
  start(what: string): void
  /** How many steps of it are done. */
  update(done: number, total: number): void
  /** Ends it, before other text is written. */
  stop(): void
}

/** A progress bar for people, lines for logs, nothing when `quiet`. */
export async function createProgress(io: CliIo, quiet: boolean): Promise<Progress> {
  if (quiet) return { start() {}, update() {}, stop() {} }
  if (!io.stderr.isTTY) return lines(io)
  const { default: cliProgress } = await import('cli-progress')
  let bar: SingleBar | undefined
  const stop = () => {
    bar?.stop()
    bar = undefined
  }
  return {
    start: (what) => {
      stop()
      bar = new cliProgress.SingleBar({
        format: '{what} {bar} {percentage}%',
        barsize: 24,
        barCompleteChar: '=',
        barIncompleteChar: ' ',
        hideCursor: true,
        clearOnComplete: true,
        stream: io.stderr as unknown as NodeJS.WritableStream,
      })
      bar.start(1, 0, { what })
    },
    update: (done, total) => {
      bar?.setTotal(total)
      bar?.update(done)
    },
    stop,
  }
}

function lines(io: CliIo): Progress {
  return {
    start: (what) => void io.stderr.write(`${what}\n`),
    update: () => {},
    stop: () => {},
  }
}
