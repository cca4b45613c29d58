import { AnnotationError, assertShape } from '@facekit/core'
import type { Box } from './detect/box.js'
import type { DenseLandmarks } from './dense/dense-landmarks.js'
import { searchFaces } from './detect/detect-faces.js'
import type { FaceDetection } from './detect/detector-network.js'
import { checkFaceBox } from './detect/face-box.js'
import { implausibleLandmarks, sameFace } from './landmarks/check-landmarks.js'
import { locateByAll, type LocatedLandmarks } from './landmarks/locate-landmarks.js'
import { SURE } from './landmarks/turned-landmarks.js'
import type { Picture } from './pictures/picture.js'
import { readRaster } from './pictures/picture-raster.js'
import type { Raster } from './pictures/resample.js'
import type { Points } from './pictures/similarity-transform.js'
import { visibleRaster } from './pictures/stretch-contrast.js'

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
  /** What the dense network saw on the way, where it was asked. */
  dense?: DenseLandmarks
}

/** Finds the faces of a picture and their landmarks, largest first.
 *
 * Upright faces are looked for first. Where a landmark network is not sure which way up a face is, faces that lie on their side or stand on
 * their head are looked for, too, and of two detections of one face the one counts whose detector and landmark network are surer.
 */
export async function locateFaces(picture: Picture, options: LocateFacesOptions): Promise<LocatedFace[]> {
  const { minScore = 0.5, detector = 'accurate', onReject } = options
  const raster = await readRaster('annotate: image', picture)
  if (typeof detector === 'function') {
    const detections = await detector(picture, { minScore })
    return certain(await locateAll(picture, detections, options, visibleRaster(raster)), options)
  }
  const { faces: detections, seen } = await searchFaces(raster, { minScore, detector })
  const first = await locateAll(picture, detections, options, seen)
  const sure = first.every(({ landmarks, landmarkScore }) => landmarkScore >= SURE && isUpright(landmarks))
  const searched =
    detections.length === 0 || detections.some(({ quarterTurns }) => quarterTurns !== undefined)
  if (searched || (sure && first.length > 0)) return certain(first, options)
  options.signal?.throwIfAborted()
  const turned = await searchFaces(raster, { minScore, detector, orientation: 'turned' })
  const others = await locateAll(picture, turned.faces, { ...options, onReject: undefined }, turned.seen)
  const kept: LocatedFace[] = []
  for (const face of [...first, ...others].toSorted((a, b) => evidence(b) - evidence(a))) {
    const known = kept.some(({ landmarks }) => sameFace(landmarks, face.landmarks))
    if (!known) kept.push(face)
    else if (first.includes(face)) onReject?.(face.detection, FOUND_ALREADY)
  }
  const faces = certain(kept, options)
  return bySize(faces, ({ detection }) => detection).slice(0, options.maxFaces)
}

/** Landmarks of a face that is covered in part, in a poor picture, score 0.78 and more; what is no face, or the wrong way up, mostly less than this. */
const LEAST_LANDMARK_SCORE = 0.7

function certain(faces: readonly LocatedFace[], { onReject }: LocateFacesOptions): LocatedFace[] {
  return faces.filter(({ detection, landmarkScore }) => {
    if (landmarkScore >= LEAST_LANDMARK_SCORE) return true
    onReject?.(
      detection,
      `its landmarks are too uncertain (${landmarkScore.toFixed(2)}) to tell which way up it is`,
    )
    return false
  })
}

const FOUND_ALREADY = 'it is a face that was found already'

const evidence = ({ detection, landmarkScore }: LocatedFace) => detection.score + landmarkScore

/** Pixels. In so few the detector sees faces in patterns of cloth: it has to be sure. */
const SMALL = 32
const SURE_OF_SMALL = 0.9

type LandmarkFinder = (detection: FaceDetection) => Promise<LocatedLandmarks>

async function locateAll(
  picture: Picture,
  detections: readonly FaceDetection[],
  { maxFaces = Infinity, signal, onReject, landmarks }: LocateFacesOptions,
  raster: Raster,
): Promise<LocatedFace[]> {
  const find: LandmarkFinder = landmarks
    ? async ({ box }) => ({ points: await landmarks(picture, box), score: 1 })
    : ({ box, quarterTurns }) => {
        checkFaceBox('annotate', box, raster)
        return locateByAll(raster, box, quarterTurns)
      }
  const faces: LocatedFace[] = []
  for (const detection of bySize(detections, (detection) => detection)) {
    if (faces.length >= maxFaces) break
    signal?.throwIfAborted()
    const face = await locate(picture, detection, find)
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
  find: LandmarkFinder,
): Promise<LocatedFace | string> {
  const { box, score } = detection
  const width = Math.sqrt(area(box))
  if (width < SMALL && score < SURE_OF_SMALL) {
    return `it is ${width.toFixed(0)} pixels wide and scores ${score.toFixed(2)}, too little for so few pixels`
  }
  try {
    const { points, score: landmarkScore, dense } = await find(detection)
    assertShape('annotate: landmarks', points, [68, 2])
    const face = { detection, landmarks: points, landmarkScore, ...(dense && { dense }) }
    return implausibleLandmarks(points, box, picture) ?? face
  } catch (error) {
    if (error instanceof AnnotationError) return error.message
    throw error
  }
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
