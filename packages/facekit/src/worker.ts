// The worker of `facekit`: does what the page asks for.
import { watchDownloads } from './worker/watch-downloads.js'
import { errorData } from './worker/error-data.js'
import { transferable, type Request, type Response } from './worker/protocol.js'
import type { ReconstructProgress } from './options.js'
import { LocalWork } from './stages/local-work.js'

const loadedBytes = watchDownloads()
const work = new LocalWork(loadedBytes)
const running = new Map<number, AbortController>()

interface WorkerScope {
  postMessage(message: Response, transfer: Transferable[]): void
}

const send = (response: Response, given: Transferable[] = []) =>
  (globalThis as unknown as WorkerScope).postMessage(response, given)

globalThis.addEventListener('message', async ({ data }: MessageEvent<Request>) => {
  const { id } = data
  if ('abort' in data) {
    running.get(id)?.abort()
    return
  }
  const controller = new AbortController()
  running.set(id, controller)
  try {
    const events = {
      signal: controller.signal,
      onProgress: (progress: ReconstructProgress) => send({ id, progress }),
    }
    const method = work[data.method] as (...args: unknown[]) => Promise<unknown>
    const result = await method.call(work, ...data.args, events)
    send({ id, result }, transferable(result))
  } catch (error) {
    send({ id, error: errorData(error) })
  } finally {
    running.delete(id)
  }
})
