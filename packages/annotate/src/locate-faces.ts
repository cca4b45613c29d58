import { AnnotationError, assertShape } from '@facekit/core'
import type { Box } from './detect/box.js'
import { detectFaces } from './detect/detect-faces.js'
import type { FaceDetection } from './detect/detector-network.js'
import { checkFaceBox } from './detect/face-box.js'
import { implausibleLandmarks, sameFace } from './landmarks/check-landmarks.js'
import { locateLandmarks } from './landmarks/locate-landmarks.js'
import { SURE } from './landmarks/turned-landmarks.js'
import type { Picture } from './pictures/picture.js'
import { readRaster } from './pictures/picture-raster.js'
import type { Points } from './pictures/similarity-transform.js'

/** Which faces of a picture are found, and how. */
export interface LocateFacesOptions {
  /** Most faces to label, the largest. Default: all. */
  maxFaces?: number
  /** Least score of a detection, 0..1. Default 0.5. */
  minScore?: number
  /** Stops between two stages; the promise is then rejected with the signal's reason. */
  signal?: AbortSignal
  /** Called for each detection that is dropped, with the reason. */
  onReject?: (detection: FaceDetection, reason: string) => void
  /** Finds boxes. Default `'accurate'`, see `detectFaces`. */
  detector?:
    | 'accurate'
    | 'fast'
    | ((picture: Picture, options: { minScore: number }) => Promise<FaceDetection[]>)
  /** Finds the 68 landmarks, `[68, 2]` pixels of the picture. Default `findLandmarks`. */
  landmarks?: (picture: Picture, box: Box) => Promise<Points>
}

/** A detection with its landmarks. */
export interface LocatedFace {
  detection: FaceDetection
  /** `[68, 2]` pixels of the picture. */
  landmarks: Points
  /** How sure the landmark network is, 0..1. */
  landmarkScore: number
}

/** Finds the faces of a picture and their landmarks, largest first.
 *
 * Upright faces are looked for first. Where a landmark network is not sure which way up a face is, faces that lie on their side or stand on
 * their head are looked for, too, and of two detections of one face the one counts whose detector and landmark network are surer.
 */
export async function locateFaces(picture: Picture, options: LocateFacesOptions): Promise<LocatedFace[]> {
  const { minScore = 0.5, detector = 'accurate', onReject } = options
  if (typeof detector === 'function') {
    return locateAll(picture, await detector(picture, { minScore }), options)
  }
  const first = await locateAll(picture, await detectFaces(picture, { minScore, detector }), options)
  if (first.every(({ landmarks, landmarkScore }) => landmarkScore >= SURE && isUpright(landmarks)))
    return first
  options.signal?.throwIfAborted()
  const turned = await detectFaces(picture, { minScore, detector, orientation: 'turned' })
  const all = [...first, ...(await locateAll(picture, turned, { ...options, onReject: undefined }))]
  const kept: LocatedFace[] = []
  for (const face of all.toSorted((a, b) => evidence(b) - evidence(a))) {
    const known = kept.some(({ landmarks }) => sameFace(landmarks, face.landmarks))
    if (!known) kept.push(face)
    else if (first.includes(face)) onReject?.(face.detection, FOUND_ALREADY)
  }
  return bySize(kept, ({ detection }) => detection).slice(0, options.maxFaces)
}

const FOUND_ALREADY = 'it is a face that was found already'

const evidence = ({ detection, landmarkScore }: LocatedFace) => detection.score + landmarkScore

/** Pixels. In so few the detector sees faces in patterns of cloth: it has to be sure. */
const SMALL = 32
const SURE_OF_SMALL = 0.9

async function locateAll(
  picture: Picture,
  detections: readonly FaceDetection[],
  { maxFaces = Infinity, signal, onReject, landmarks }: LocateFacesOptions,
): Promise<LocatedFace[]> {
  const faces: LocatedFace[] = []
  for (const detection of bySize(detections, (detection) => detection)) {
    if (faces.length >= maxFaces) break
    signal?.throwIfAborted()
    const face = await locate(picture, detection, landmarks)
    const known = typeof face !== 'string' && faces.some((one) => sameFace(one.landmarks, face.landmarks))
    if (typeof face === 'string') onReject?.(detection, face)
    else if (known) onReject?.(detection, FOUND_ALREADY)
    else faces.push(face)
  }
  return faces
}

/** A detection with its landmarks, or why it is no face. */
async function locate(
  picture: Picture,
  detection: FaceDetection,
  findLandmarks: LocateFacesOptions['landmarks'],
): Promise<LocatedFace | string> {
  const { box, score, quarterTurns } = detection
  const width = Math.sqrt(area(box))
  if (width < SMALL && score < SURE_OF_SMALL) {
    return `it is ${width.toFixed(0)} pixels wide and scores ${score.toFixed(2)}, too little for so few pixels`
  }
  try {
    const { points, score: landmarkScore } = findLandmarks
      ? { points: await findLandmarks(picture, box), score: 1 }
      : await defaultLandmarks(picture, box, quarterTurns)
    assertShape('annotate: landmarks', points, [68, 2])
    return implausibleLandmarks(points, box, picture) ?? { detection, landmarks: points, landmarkScore }
  } catch (error) {
    if (error instanceof AnnotationError) return error.message
    throw error
  }
}

async function defaultLandmarks(picture: Picture, box: Box, quarterTurns?: number) {
  const raster = await readRaster('annotate: image', picture)
  checkFaceBox('annotate', box, raster)
  return locateLandmarks(raster, box, quarterTurns)
}

/** Whether the eyes are above the mouth, by less than 60 degrees from upright. */
function isUpright(landmarks: Points): boolean {
  const middle = (axis: number) => (landmarks.get(39, axis) + landmarks.get(42, axis)) / 2
  const [x, y] = [0, 1].map((axis) => (landmarks.get(48, axis) + landmarks.get(54, axis)) / 2 - middle(axis))
  return y > 0.5 * Math.hypot(x, y)
}

const bySize = <T>(items: readonly T[], detectionOf: (item: T) => FaceDetection): T[] =>
  items.toSorted((a, b) => area(detectionOf(b).box) - area(detectionOf(a).box))

const area = ({ width, height }: Box) => width * height
