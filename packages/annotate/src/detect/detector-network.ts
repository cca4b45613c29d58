import type { Tensor4D } from '@tensorflow/tfjs-core'
import type { Box } from './box.js'
import type { Points } from '../pictures/similarity-transform.js'

/** A face that was found. */
export interface FaceDetection {
  box: Box
  /** How sure the network is, 0..1. */
  score: number
  /** `[5, 2]` eye centres, nose tip, corners of the mouth, the subject's right first, in pixels of the picture; of detectors that find them. */
  fivePoints?: Points
  /** 1, 2 or 3: the face is turned by so many quarter turns, clockwise in the picture. Undefined where it stands about upright. */
  quarterTurns?: number
}

/** Faces as a network finds them, many boxes for each; boxes in widths of the network's square picture. */
export type RawDetections = FaceDetection[]

/** A network that finds faces in a square picture. */
export interface DetectorNetwork {
  /** Width and height of its picture. */
  inputSize: number
  /** Boxes with a larger intersection over union are one face. */
  overlap: number
  /** @param image - `[1, inputSize, inputSize, 3]` encoded, 0..255; stays the caller's */
  detect(image: Tensor4D, minScore: number): Promise<RawDetections>
  dispose(): void
}
