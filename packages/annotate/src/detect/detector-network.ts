import type { Tensor4D } from '@tensorflow/tfjs-core'
import type { Points } from '../pictures/similarity-transform.js'

/** A rectangle in a picture. */
export interface Box {
  x: number
  y: number
  width: number
  height: number
}

/** A face that was found. */
export interface FaceDetection {
  box: Box
  /** How sure the network is, 0..1. */
  score: number
  /** `[5, 2]` eye centres, nose tip, corners of the mouth, the subject's right first, in pixels of the picture; of detectors that find them. */
  fivePoints?: Points
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

/** Keeps the best of boxes that overlap, best first (greedy non-maximum suppression). */
export function suppressOverlaps(detections: readonly FaceDetection[], overlap: number): FaceDetection[] {
  const kept: FaceDetection[] = []
  for (const candidate of [...detections].sort((a, b) => b.score - a.score)) {
    if (kept.every(({ box }) => intersectionOverUnion(box, candidate.box) <= overlap)) kept.push(candidate)
  }
  return kept
}

function intersectionOverUnion(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y)
  const intersection = Math.max(0, width) * Math.max(0, height)
  return intersection / (a.width * a.height + b.width * b.height - intersection)
}
