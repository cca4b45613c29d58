import type { FaceFollower } from './face.js'
import type { HeadOptions } from './options.js'
import { photoData } from './photo-source.js'
import type { FaceWork } from './stages/face-work.js'

/** A follower of a face that the work knows by its number. */
export function followFace(work: FaceWork, face: number, options: HeadOptions): FaceFollower {
  const started = work.follow(face, options)
  // An error is told by the first picture.
  started.catch(() => undefined)
  return {
    next: async (frame, time) => work.followNext(await started, await photoData(frame), time),
    dispose: () => void started.then((follower) => work.endFollow(follower)).catch(() => undefined),
  }
}
