import type { FaceFollower } from './face.js'
import { photoData } from './photo-source.js'
import type { FaceWork } from './stages/face-work.js'

/** A follower of a face that the work knows by its number. */
export function followFace(work: FaceWork, face: number): FaceFollower {
  const started = work.follow(face)
  // An error is told by the first picture.
  started.catch(() => undefined)
  return {
    next: async (frame) => work.followNext(await started, await photoData(frame)),
    dispose: () => void started.then((follower) => work.endFollow(follower)).catch(() => undefined),
  }
}
