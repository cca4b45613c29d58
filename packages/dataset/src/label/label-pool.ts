import type { ChildProcess } from 'node:child_process'
import { BackendError, FacekitError } from '@facekit/core'
import { labelPicture, type Annotator, type LabelJob, type LabelledPicture } from './label-picture.js'
import type { WorkerAnswer, WorkerRequest } from './run-label-worker.js'

/** Labels pictures, several at the same time. */
export interface LabelPool {
  /** How many jobs it works on at once. */
  readonly size: number
  /** @throws {BackendError} when what computes failed, whatever the picture */
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
  /** The end of what it wrote to its standard error. */
  errors: string
  /** Whether it has begun to work on the current request. */
  accepted: boolean
  settle?: (answer: WorkerAnswer | Error) => void
}

/** Why a worker gave no labels. */
interface Failure {
  reason: string
  /** Whether the worker had begun to read the picture: only then can the picture be the cause. */
  accepted: boolean
}

/** What a worker said that could not compute. */
interface Breakdown {
  message: string
}

/** Starts a pool of processes, each with a backend of its own. A process that dies while it labels a picture is replaced, and the picture is
 * tried once more; after that, or when the time is up, it counts as bad. A process that dies between two pictures is replaced and held
 * against none of them. Node only.
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
      worker.accepted = false
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
    const worker: Worker = { process: child, errors: '', accepted: false }
    all.add(worker)
    child.stderr?.on('data', (text: Buffer) => (worker.errors = (worker.errors + text).slice(-2000)))
    child.on('message', (answer: WorkerAnswer) => {
      if (answer.kind === 'accepted') worker.accepted = true
      else worker.settle?.(answer)
    })
    const gone = (reason: string) => {
      all.delete(worker)
      const place = idle.indexOf(worker)
      if (place >= 0) idle.splice(place, 1)
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

  const tryOn = async (worker: Worker, job: LabelJob): Promise<LabelledPicture | Failure | Breakdown> => {
    let late = false
    const timer = setTimeout(() => {
      late = true
      worker.process.kill('SIGKILL')
    }, timeLimit * 1000)
    try {
      const answer = await ask(worker, { kind: 'job', job })
      idle.push(worker)
      if (answer.kind === 'failed') return { message: answer.message }
      return answer.kind === 'done' ? answer.labels : { samples: [], reason: `the worker is ${answer.kind}` }
    } catch (error) {
      if (late) return { samples: [], reason: `it took longer than ${timeLimit} s` }
      const reason = `the process that labelled it ended with ${(error as Error).message}`
      return { reason, accepted: worker.accepted }
    } finally {
      clearTimeout(timer)
    }
  }

  const attempt = async (job: LabelJob): Promise<LabelledPicture | Failure | Breakdown> => {
    for (let worker = idle.pop(); worker; worker = idle.pop()) {
      const result = await tryOn(worker, job)
      // It had died while it was idle, though its exit was not reported yet.
      if ('accepted' in result && !result.accepted && !closed) continue
      return result
    }
    return tryOn(await start(), job)
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
      if ('accepted' in result && !closed) result = await attempt(job)
      if ('message' in result) throw new BackendError(result.message)
      return 'accepted' in result ? { samples: [], reason: result.reason } : result
    },
    close,
  }
}

const lastLine = ({ errors }: Worker): string => {
  const lines = errors.split('\n').filter((line) => line.trim() !== '' && !/^(Node\.js v|\s+at )/.test(line))
  return lines.find((line) => /error/i.test(line)) ?? lines.at(-1) ?? 'no message'
}
