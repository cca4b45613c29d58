import { runLabelWorker } from '@facekit/dataset'
import { stubAnnotations } from './stub-annotator.js'

// A worker that labels at once, from the pixels alone; red pictures end it, green ones keep it busy for ever.
runLabelWorker(async (options) => {
  const { refuse, wait = 0 } = options as { refuse?: boolean; wait?: number }
  if (refuse) throw new Error('it does not want to')
  return async (picture) => {
    const [red, green] = [picture.get(0, 0, 0), picture.get(0, 0, 1)]
    if (red > 240 && green < 10) process.exit(7)
    if (red < 10 && green > 240) await new Promise(() => {})
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    return stubAnnotations(picture)
  }
})
