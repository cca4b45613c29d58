import type { ChildProcess } from 'node:child_process'
import { FacekitError } from '@facekit/core'
import { labelPicture, type Annotator, type LabelJob, type LabelledPicture } from './label-picture.js'
import type { WorkerAnswer, WorkerRequest } from './run-label-worker.js'

/** Labels pictures, several at the same time. */
export interface LabelPool {
  /** How many jobs it works on at once. */
  readonly size: number
  label(job: LabelJob): Promise<LabelledPicture>
  close(): void
}

/** A pool that labels in this thread, one picture after the other. */
export const ownThread = (annotate: Annotator): LabelPool => ({
  size: 1,
  label: (job) => labelPicture(job, annotate),
  close: () => {},
})

/** Settings of a pool of processes. */
export interface PoolOptions {
  script: URL | string
  options: unknown
  size: number
  /** Seconds for one picture. */
  timeLimit: number
}

interface Worker {
  process: ChildProcess
  /** Last words. */
  errors: string
  settle?: (answer: WorkerAnswer | Error) => void
}

/** A pool of processes, each with a backend of its own. A process that dies over a picture is replaced, and the picture is tried once
 * more; then, or when the time is up, it counts as bad. Node only.
 *
 * @throws {FacekitError} when a worker cannot start
 */
export async function startPool({ script, options, size, timeLimit }: PoolOptions): Promise<LabelPool> {
  const { fork } = await import(/* webpackIgnore: true */ 'node:child_process')
  const all = new Set<Worker>()
  const idle: Worker[] = []
  let closed = false

  const ask = (worker: Worker, request: WorkerRequest) =>
    new Promise<WorkerAnswer>((resolve, reject) => {
      worker.settle = (answer) => {
        worker.settle = undefined
        if (answer instanceof Error) reject(answer)
        else resolve(answer)
      }
      worker.process.send(request, (error) => error && worker.settle?.(error))
    })

  const start = async (): Promise<Worker> => {
    // Results hold bytes, which JSON would blow up.
    const child = fork(script, [], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    const worker: Worker = { process: child, errors: '' }
    all.add(worker)
    child.stderr?.on('data', (text: Buffer) => (worker.errors = (worker.errors + text).slice(-2000)))
    child.on('message', (answer: WorkerAnswer) => worker.settle?.(answer))
    const gone = (reason: string) => {
      all.delete(worker)
      worker.settle?.(new Error(reason))
    }
    child.on('error', (error) => gone(error.message))
    child.on('exit', (code, signal) => gone(signal ?? `exit code ${code}`))
    const answer = await ask(worker, { kind: 'start', options }).catch((error: Error): WorkerAnswer => ({
      kind: 'failed',
      message: `it ended with ${error.message}: ${lastLine(worker)}`,
    }))
    if (answer.kind === 'ready') return worker
    child.kill('SIGKILL')
    throw new FacekitError(
      `labelFolder: a worker cannot start (${answer.kind === 'failed' ? answer.message : answer.kind})`,
    )
  }

  const attempt = async (job: LabelJob): Promise<LabelledPicture | string> => {
    const worker = idle.pop() ?? (await start())
    let late = false
    const timer = setTimeout(() => {
      late = true
      worker.process.kill('SIGKILL')
    }, timeLimit * 1000)
    try {
      const answer = await ask(worker, { kind: 'job', job })
      idle.push(worker)
      return answer.kind === 'done' ? answer.labels : { samples: [], reason: `the worker is ${answer.kind}` }
    } catch (error) {
      return late
        ? { samples: [], reason: `it took longer than ${timeLimit} s` }
        : `the process that labelled it ended with ${(error as Error).message}`
    } finally {
      clearTimeout(timer)
    }
  }

  const close = () => {
    closed = true
    for (const worker of all) worker.process.kill('SIGKILL')
  }
  // The first alone: what fails for one fails for all, and should be said once.
  idle.push(await start())
  return {
    size,
    async label(job) {
      let result = await attempt(job)
      if (typeof result === 'string' && !closed) result = await attempt(job)
      return typeof result === 'string' ? { samples: [], reason: result } : result
    },
    close,
  }
}

const lastLine = ({ errors }: Worker): string => {
  const lines = errors.split('\n').filter((line) => line.trim() !== '' && !/^(Node\.js v|\s+at )/.test(line))
  return lines.find((line) => /error/i.test(line)) ?? lines.at(-1) ?? 'no message'
}
