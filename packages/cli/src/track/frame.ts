import type { Picture } from '@facekit/annotate'

/** A picture of a video. */
export interface Frame {
  /** From 0. */
  index: number
  /** Seconds from the start. */
  time: number
  /** Reads it: not all pictures are looked at. */
  picture(): Promise<Picture>
}
