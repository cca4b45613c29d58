import ndarray, { type NdArray } from 'ndarray'
import { assertInRange, assertInteger, assertShape } from '@facekit/core'
import { blurMask } from '../pictures/blur-mask.js'
import { polygonCoverage, type Polygon } from '../pictures/polygon-coverage.js'
import type { Points } from '../pictures/similarity-transform.js'

/** Options of `faceRegion`. */
export interface FaceRegionOptions {
  /** Width and height of the mask in pixels. Default 224. */
  size?: number
  /** Whether the eyes belong to the region. Default true: the face model has eyeballs' albedo. */
  eyes?: boolean
  /** Whether the opening between the lips belongs to it. Default false: teeth and tongue are no part of the model. */
  innerMouth?: boolean
  /** Height of the forehead above the brows, in distances from brows to nose base. Default 0.8. */
  forehead?: number
  /** Radius in whole pixels by which the border is softened. Default 0: only the pixels on it are partly covered. */
  softness?: number
  /** `[S, S]` share of each pixel that lies inside of the picture (of `cropFace`): outside the region is 0. */
  inside?: NdArray<Float32Array>
}

/** The part of a crop that is face by its geometry: jaw line, nose, brows and a forehead above them.
 *
 * The forehead, which has no landmarks, is half a superellipse (exponent 2.5) over the ends of the jaw line. Hair, hands and
 * glasses are not seen here: `refineFaceRegion` takes them out by colour.
 *
 * @param landmarks - `[68, 2]` pixels of the crop
 * @returns `[S, S]` 0..1, anti-aliased
 * @throws {ShapeError} when a shape differs
 * @throws {ValueError} when an option is out of range
 */
export function faceRegion(landmarks: Points, options: FaceRegionOptions = {}): NdArray<Float32Array> {
  const { size = 224, eyes = true, innerMouth = false, forehead = 0.8, softness = 0, inside } = options
  checkLandmarks('faceRegion', landmarks, size)
  assertInRange('faceRegion: forehead', forehead, 0, 3)
  assertInteger('faceRegion: softness', softness, 0, size)
  if (inside) assertShape('faceRegion: inside', inside, [size, size])
  const outline = [...corners(landmarks, 0, 16), ...foreheadArc(landmarks, forehead)]
  const parts = [outline, corners(landmarks, 27, 35), corners(landmarks, 48, 59)]
  let mask = polygonCoverage(parts, size, size)
  const cut = [
    ...(innerMouth ? [] : [corners(landmarks, 60, 67)]),
    ...(eyes ? [] : [corners(landmarks, 36, 41), corners(landmarks, 42, 47)]),
  ]
  const holes = polygonCoverage(cut, size, size)
  for (let i = 0; i < mask.length; i++) mask[i] *= 1 - holes[i]
  if (softness > 0) mask = blurMask(mask, size, size, softness)
  if (inside) {
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) mask[row * size + column] *= inside.get(row, column)
    }
  }
  return ndarray(mask, [size, size])
}

/** The opening between the lips, the polygon of landmarks 60 to 67; of a closed mouth it covers nearly nothing.
 *
 * @param landmarks - `[68, 2]` pixels of the crop
 * @returns `[S, S]` 0..1, anti-aliased; its sum is the area in square pixels
 * @throws {ShapeError} when `landmarks` is not `[68, 2]`
 */
export function innerMouthArea(landmarks: Points, options: { size?: number } = {}): NdArray<Float32Array> {
  const { size = 224 } = options
  checkLandmarks('innerMouthArea', landmarks, size)
  return ndarray(polygonCoverage([corners(landmarks, 60, 67)], size, size), [size, size])
}

/** Landmarks `first` to `last` as the corners of a polygon. */
export function corners(landmarks: Points, first: number, last: number): [number, number][] {
  const polygon: [number, number][] = []
  for (let i = first; i <= last; i++) polygon.push([landmarks.get(i, 0), landmarks.get(i, 1)])
  return polygon
}

/** The mean of landmarks `first` to `last`. */
export function centre(landmarks: Points, first: number, last: number): [number, number] {
  const points = corners(landmarks, first, last)
  const mean = (axis: 0 | 1) => points.reduce((sum, point) => sum + point[axis], 0) / points.length
  return [mean(0), mean(1)]
}

/** From the subject's left end of the jaw (16) over the forehead to the right end (0), without the ends. */
function foreheadArc(landmarks: Points, height: number): Polygon {
  const [right, left] = [landmarks.get(0, 0), landmarks.get(16, 0)]
  const [rightY, leftY] = [landmarks.get(0, 1), landmarks.get(16, 1)]
  const eyes = centre(landmarks, 36, 47)
  const mouth = centre(landmarks, 48, 59)
  const length = Math.hypot(eyes[0] - mouth[0], eyes[1] - mouth[1]) || 1
  const up = [(eyes[0] - mouth[0]) / length, (eyes[1] - mouth[1]) / length]
  const brows = centre(landmarks, 17, 26)
  const rise = height * Math.hypot(brows[0] - landmarks.get(33, 0), brows[1] - landmarks.get(33, 1))
  const middle = [(right + left) / 2, (rightY + leftY) / 2]
  const half = [(left - right) / 2, (leftY - rightY) / 2]
  const top = [brows[0] + up[0] * rise - middle[0], brows[1] + up[1] * rise - middle[1]]
  const steps = 32
  return Array.from({ length: steps - 1 }, (_, i) => {
    const angle = (Math.PI * (i + 1)) / steps
    const across = Math.sign(Math.cos(angle)) * Math.abs(Math.cos(angle)) ** 0.8
    const along = Math.sin(angle) ** 0.8
    return [
      middle[0] + across * half[0] + along * top[0],
      middle[1] + across * half[1] + along * top[1],
    ] as const
  })
}

function checkLandmarks(who: string, landmarks: Points, size: number): void {
  assertShape(`${who}: landmarks`, landmarks, [68, 2])
  assertInteger(`${who}: size`, size, 8, 4096)
}
