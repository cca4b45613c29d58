import { BackendError } from '@facekit/core'
import { runLabelWorker } from '@facekit/dataset'
import { stubAnnotations } from './stub-annotator.js'

// A worker that labels at once, from the pixels alone; red pictures end it, green ones keep it busy for ever. With `once` it ends after a
// picture, when nobody waits for it; with `breakAfter` it cannot compute any more after so many.
runLabelWorker(async (options) => {
  const {
    refuse,
    once,
    wait = 0,
    breakAfter = Infinity,
  } = options as { refuse?: boolean; once?: boolean; wait?: number; breakAfter?: number }
  let done = 0
  if (refuse) throw new Error('it does not want to')
  if (once) {
    const send = process.send!.bind(process) as (message: unknown, sent?: () => void) => boolean
    process.send = (message: { kind: string }) =>
      send(message, message.kind === 'done' ? () => process.exit(0) : undefined)
  }
  return async (picture) => {
    const [red, green] = [picture.get(0, 0, 0), picture.get(0, 0, 1)]
    if (red > 240 && green < 10) process.exit(7)
    if (red < 10 && green > 240) await new Promise(() => {})
    if (done++ === breakAfter) throw new BackendError('the device is lost')
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    return stubAnnotations(picture)
  }
})
