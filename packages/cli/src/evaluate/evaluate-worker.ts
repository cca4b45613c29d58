import { createEvaluator, type Evaluator } from './create-evaluator.js'
import { errorLine } from '../error-line.js'
import type { EvaluateSettings } from './evaluate-settings.js'
import type { WorkerAnswer, WorkerRequest } from './evaluation-pool.js'

// A process of `facekit evaluate`: faces come one by one, and it ends with the process that started it.
if (process.send) {
  const answer = (message: WorkerAnswer) => void process.send!(message)
  const controller = new AbortController()
  let evaluator: Evaluator | undefined
  process.on('message', (request: WorkerRequest) => {
    const work =
      request.kind === 'start'
        ? createEvaluator(request.settings as EvaluateSettings, controller.signal, request.threads).then(
            (created) => {
              evaluator = created
              answer({ kind: 'ready' })
            },
          )
        : evaluator!
            .evaluate(request.id, request.methods)
            .then((results) => answer({ kind: 'done', results }))
    work.catch((error: unknown) => answer({ kind: 'failed', message: errorLine(error) }))
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
  process.on('disconnect', () => process.exit(0))
}
