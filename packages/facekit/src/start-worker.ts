import { BackendError } from '@facekit/core'

/** Kept apart from the form that bundlers know: they would bundle the worker twice. */
const SCRIPT = './worker.js'

/** Starts the worker, also one that lies on another site, such as a CDN: browsers refuse its address, but not a script that imports it.
 *
 * @throws {BackendError} when the page's policy forbids workers
 */
export function startWorker(): Worker {
  try {
    return new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'facekit' })
  } catch (error) {
    if ((error as Error).name !== 'SecurityError') throw refused(error)
  }
  const address = new URL(/* @vite-ignore */ SCRIPT, import.meta.url).href
  const script = new Blob([`import ${JSON.stringify(address)}`], { type: 'text/javascript' })
  const url = URL.createObjectURL(script)
  try {
    return new Worker(url, { type: 'module', name: 'facekit' })
  } catch (error) {
    throw refused(error)
  } finally {
    // Not before the worker has read it.
    setTimeout(() => URL.revokeObjectURL(url), 60_000)
  }
}

const refused = (error: unknown) =>
  new BackendError(
    `reconstruct: no worker can be started (${(error as Error).message}); allow it in the page's Content-Security-Policy (worker-src), or pass { worker: false }`,
    { cause: error },
  )
