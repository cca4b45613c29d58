import { labelPicture, type Annotator, type LabelJob, type LabelledPicture } from './label-picture.js'

/** What is sent to a worker. */
export type WorkerRequest = { kind: 'start'; options: unknown } | { kind: 'job'; job: LabelJob }
/** What a worker answers. */
export type WorkerAnswer =
  | { kind: 'ready' }
  | { kind: 'failed'; message: string }
  /** It begins to read the picture. */
  | { kind: 'accepted' }
  | { kind: 'done'; labels: LabelledPicture }

/** Makes the process a worker of `labelFolder`: the last line of a script that is passed to it as `worker`. Node only.
 *
 * The worker ends with the process that started it, and leaves Ctrl-C to that one.
 *
 * @param create - starts a backend and gives the annotator; `options` are those of `labelFolder`'s `workerOptions`
 * @example
 * import { initEngine } from '@facekit/engine'
 * import { annotate } from '@facekit/annotate'
 * runLabelWorker(async () => {
 *   await initEngine({ backend: 'wasm', threads: 1 })
 *   return (picture) => annotate(picture)
 * })
 */
export function runLabelWorker(create: (options: unknown) => Promise<Annotator>): void {
  if (process.send === undefined) return
  const answer = (message: WorkerAnswer) => void process.send!(message)
  const fail = (error: unknown) =>
    answer({ kind: 'failed', message: (error as Error)?.message ?? String(error) })
  let annotate: Annotator | undefined
  process.on('message', (request: WorkerRequest) => {
    if (request.kind === 'start') {
      create(request.options).then((annotator) => {
        annotate = annotator
        answer({ kind: 'ready' })
      }, fail)
    } else if (annotate) {
      answer({ kind: 'accepted' })
      labelPicture(request.job, annotate).then((labels) => answer({ kind: 'done', labels }), fail)
    }
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
  process.on('disconnect', () => process.exit(0))
}
