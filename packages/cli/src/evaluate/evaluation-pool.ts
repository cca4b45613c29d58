import { FacekitError } from '@facekit/core'
import type { CaseResult } from '@facekit/evaluation'
import { type ChildProcess, fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import type { EvaluatedMethod, EvaluateSettings } from './evaluate-settings.js'

/** What is sent to a worker. */
export type WorkerRequest =
  | { kind: 'start'; settings: EvaluateSettings; threads: number }
  | { kind: 'case'; id: string; methods: readonly EvaluatedMethod[] }
/** What a worker answers. */
export type WorkerAnswer =
  | { kind: 'ready' }
  | { kind: 'done'; results: CaseResult[] }
  | { kind: 'failed'; message: string }
  /** Said in the place of a worker that is no more. */
  | { kind: 'ended'; message: string }

const messageOf = (answer: WorkerAnswer) => ('message' in answer ? answer.message : answer.kind)

/** A face that is to be scored. */
export interface EvaluationTask {
  id: string
  group: string
  methods: readonly EvaluatedMethod[]
}

/** How often a face is tried whose process died over it. */
const ATTEMPTS = 2

/** Scores faces in processes, each with a backend of its own. A face whose process dies is tried once more in another one; if that dies too, the face says so,
 * and another process goes on.
 *
 * @param script - `evaluate-worker`
 * @param onResults - called for each face when it is done, and told whether that is final: not where a process died or could not compute, which another run
 *   should try again; what it throws ends the work
 * @throws {FacekitError} when a worker cannot start
 * @throws the signal's reason when it is aborted
 */
export async function evaluateInProcesses(
  script: URL,
  settings: EvaluateSettings,
  tasks: readonly EvaluationTask[],
  workers: number,
  onResults: (results: CaseResult[], isFinal: boolean) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const left = [...tasks]
  const children = new Set<ChildProcess>()
  // Together as many as there are processors: more would only wait for each other.
  const threads = Math.max(1, Math.floor(availableParallelism() / workers))
  // Aborted also when the work has ended or failed: a process started then, in place of one that was ended, would go on for ever.
  const ended = new AbortController()
  const over = AbortSignal.any([signal, ended.signal])
  const start = async (): Promise<ChildProcess> => {
    over.throwIfAborted()
    const child = fork(script, [], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    children.add(child)
    const answer = await ask(child, { kind: 'start', settings, threads })
    if (answer.kind === 'ready') return child
    children.delete(child)
    child.kill('SIGKILL')
    throw new FacekitError(
      answer.kind === 'failed' ? answer.message : `a worker cannot start: ${messageOf(answer)}`,
    )
  }
  const run = async (first: ChildProcess | undefined) => {
    let child = first
    for (let task = left.shift(); task; task = left.shift()) {
      const { id, group, methods } = task
      let answer: WorkerAnswer = { kind: 'ended', message: '' }
      for (let attempt = 0; attempt < ATTEMPTS && answer.kind === 'ended'; attempt++) {
        child ??= await start()
        answer = await ask(child, { kind: 'case', id, methods })
        over.throwIfAborted()
        if (answer.kind !== 'ended') continue
        children.delete(child)
        child = undefined
      }
      if (answer.kind === 'done') await onResults(answer.results, true)
      else {
        const problems = [messageOf(answer)]
        await onResults(
          methods.map(({ name }) => ({ id, group, method: name, problems })),
          false,
        )
      }
    }
  }
  over.addEventListener('abort', () => {
    for (const child of children) child.kill('SIGKILL')
  })
  try {
    // One alone first: what fails for it fails for all, and should be said once.
    const first = await start()
    await Promise.all(
      Array.from({ length: Math.min(workers, tasks.length) }, (_, i) => run(i === 0 ? first : undefined)),
    )
  } finally {
    ended.abort()
  }
}

/** Sends a request and waits for its answer; a process that ends answers that it did. */
function ask(child: ChildProcess, request: WorkerRequest): Promise<WorkerAnswer> {
  return new Promise((resolve) => {
    const settle = (answer: WorkerAnswer) => {
      child.off('message', settle)
      child.off('exit', gone)
      resolve(answer)
    }
    const gone = (code: number | null, signal: string | null) =>
      settle({
        kind: 'ended',
        message: `the process that scored it ended with ${signal ?? `exit code ${code}`}`,
      })
    child.on('message', settle)
    child.on('exit', gone)
    child.send(request, (error) => {
      if (error) settle({ kind: 'ended', message: error.message })
    })
  })
}
