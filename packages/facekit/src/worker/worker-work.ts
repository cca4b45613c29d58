import { BackendError } from '@facekit/core'
import type { CallEvents, FaceWork } from '../stages/face-work.js'
import { errorFrom } from './error-data.js'
import { transferable, type Request, type Response } from './protocol.js'
import { startWorker } from '../start-worker.js'

interface Call extends CallEvents {
  resolve(result: unknown): void
  reject(error: unknown): void
}

let running: FaceWork | undefined

/** The work in the page's worker, which starts with the first call and stays. */
export function workerWork(): FaceWork {
  return (running ??= createWorkerWork())
}

function createWorkerWork(): FaceWork {
  const worker = startWorker()
  const calls = new Map<number, Call>()
  let count = 0
  worker.addEventListener('message', ({ data }: MessageEvent<Response>) => {
    const call = calls.get(data.id)
    if (!call) return
    if ('progress' in data) {
      call.onProgress?.(data.progress)
      return
    }
    calls.delete(data.id)
    if ('error' in data) call.reject(errorFrom(data.error))
    else call.resolve(data.result)
  })
  worker.addEventListener('error', (event) => {
    // It did not start, or died: the next call starts another. Faces that it held are lost.
    event.preventDefault()
    worker.terminate()
    running = undefined
    const error = new BackendError(
      `reconstruct: the worker does not run (${event.message || 'its script cannot be loaded'}); is it served, and does the page's Content-Security-Policy allow it (worker-src, script-src 'wasm-unsafe-eval')?`,
    )
    for (const call of calls.values()) call.reject(error)
    calls.clear()
  })
  const send = (request: Request, given: Transferable[] = []) => worker.postMessage(request, given)
  const call = async (method: keyof FaceWork, args: unknown[], events: CallEvents = {}): Promise<unknown> => {
    const { signal } = events
    signal?.throwIfAborted()
    const id = count++
    const stop = () => {
      calls.get(id)?.reject(signal!.reason)
      calls.delete(id)
      send({ id, abort: true })
    }
    try {
      return await new Promise((resolve, reject) => {
        calls.set(id, { ...events, resolve, reject })
        signal?.addEventListener('abort', stop, { once: true })
        // Bytes and pixels of the caller are copied: they stay theirs. A bitmap was made for this call.
        const bitmaps = transferable(args).filter((one) => !(one instanceof ArrayBuffer))
        send({ id, method, args }, bitmaps)
      })
    } finally {
      calls.delete(id)
      signal?.removeEventListener('abort', stop)
    }
  }
  return {
    prepare: (options, events) => call('prepare', [options], events) as ReturnType<FaceWork['prepare']>,
    open: (photo, options, events) => call('open', [photo, options], events) as ReturnType<FaceWork['open']>,
    reconstruct: (photos, options, events) =>
      call('reconstruct', [photos, options], events) as ReturnType<FaceWork['reconstruct']>,
    glb: (face, options) => call('glb', [face, options]) as ReturnType<FaceWork['glb']>,
    usdz: (face) => call('usdz', [face]) as ReturnType<FaceWork['usdz']>,
    render: (face, options) => call('render', [face, options]) as ReturnType<FaceWork['render']>,
    geometry: (face, change) => call('geometry', [face, change]) as ReturnType<FaceWork['geometry']>,
    maps: (face, options) => call('maps', [face, options]) as ReturnType<FaceWork['maps']>,
    follow: (face, options) => call('follow', [face, options]) as ReturnType<FaceWork['follow']>,
    followNext: (follower, frame, time) =>
      call('followNext', [follower, frame, time]) as ReturnType<FaceWork['followNext']>,
    endFollow: (follower) => call('endFollow', [follower]) as ReturnType<FaceWork['endFollow']>,
    close: (photo) => call('close', [photo]) as ReturnType<FaceWork['close']>,
    forget: (face) => call('forget', [face]) as ReturnType<FaceWork['forget']>,
  }
}
