import type { PhotoOptions } from './options.js'
import { isNode } from './photo-source.js'
import type { FaceWork } from './stages/face-work.js'
import { workerWork } from './worker/worker-work.js'

let local: Promise<FaceWork> | undefined

/** Where the work is done: here in Node and in workers, in a worker of its own in pages. */
export async function openWork({ worker }: Pick<PhotoOptions, 'worker'>): Promise<FaceWork> {
  const isPage = !isNode() && typeof document !== 'undefined' && typeof Worker !== 'undefined'
  if (worker ?? isPage) return workerWork()
  local ??= import('./stages/local-work.js').then(({ LocalWork }) => new LocalWork())
  return local
}
