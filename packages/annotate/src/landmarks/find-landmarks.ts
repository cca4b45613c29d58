import type { Tensor3D } from '@tensorflow/tfjs-core'
import ndarray, { type NdArray } from 'ndarray'
import { ValueError } from '@facekit/core'
import type { Box } from '../detect/detector-network.js'
import { createDenseLandmarkNetwork, type LandmarkNetwork } from './dense-landmark-network.js'
import { checkFaceBox } from '../detect/face-box.js'
import {
  boxView,
  landmarkCount,
  landmarksView,
  meanPoints,
  predictInViews,
  type LandmarkView,
} from './landmark-view.js'
import { openHourglass } from './hourglass.js'
import { lookAgain, lookAtBox } from './hourglass-views.js'
import { cachedLayersNetwork, cachedNetwork } from '../network-cache.js'
import type { Picture } from '../pictures/picture.js'
import { readRaster } from '../pictures/picture-raster.js'
import type { Raster } from '../pictures/resample.js'
import type { Points } from '../pictures/similarity-transform.js'

// Contributor notes. One look of the network at a detector's box is off by 6 % of the face, and each look is off in another
// direction: the mean over sizes and a mirrored look, taken again in a square that is derived from the landmarks and level,
// is off by 4 %
// (both with the 3 % by which the annotations themselves are off, see benchmarks/landmarks.ts). Where a box is off, the square
// may shrink from look to look; the looks then disagree, and other places to begin are tried.
/** Sizes of the first looks, in sizes of the box. */
const BOX_SCALES = [1.1, 1.2, 1.3]
/** Sizes of the later looks, in sizes of the square around the landmarks. */
const LANDMARK_SCALES = [1.3, 1.4, 1.5]
/** Most rounds of later looks: most faces need two, those that the first look got wrong need more. */
const ROUNDS = 4
/** The square has settled when it moves and grows by less than this share of its size. */
const SETTLED = 0.015
/** Least size of that square in pixels: landmarks that fall together have no direction. */
const LEAST_SIZE = 2
/** Looks that disagree more than this have not understood the face. */
const DOUBTFUL = 0.022

/** Share of the hourglass network in the mean of both. */
const HOURGLASS_SHARE = 0.7

/** Options of `findLandmarks`. */
export interface FindLandmarksOptions {
  /** `'dense'`: face-api's network of 0.2 MB. `'hourglass'`: ours, of 4.8 MB, see `loadHourglass`. `'both'`: the second looks where the first
   * found the face, and the landmarks are a mean of theirs. Default `'both'`. */
  network?: 'dense' | 'hourglass' | 'both'
}

/** Finds the 68 landmarks of a face.
 *
 * @param picture - `[H, W, 3]`: a `Picture`, or a tensor of encoded colours in 0..1
 * @param box - of the face, as `detectFaces` gives it, pixels of the picture; may reach outside
 * @returns `[68, 2]` x and y in pixels of the picture (pixel centres at +0.5), in the order of iBUG / 300-W: the subject's
 *   right jaw first; 60 to 67 are the inner mouth. Points of a face half outside may lie outside.
 * @differentiable no
 * @memory plain data. The network is loaded on first use and kept, see `disposeNetworks`.
 * @throws {ShapeError} when the picture is not `[H, W, 3]`
 * @throws {ImageError} when it is absurdly large or not finite
 * @throws {ValueError} when the box is not finite or empty
 * @throws {AnnotationError} when the box lies outside of the picture
 * @throws {ModelFormatError} when the weights cannot be read
 */
export async function findLandmarks(
  picture: Picture | Tensor3D,
  box: Box,
  options: FindLandmarksOptions = {},
): Promise<NdArray<Float32Array>> {
  const { network = 'both' } = options
  if (network !== 'dense' && network !== 'hourglass' && network !== 'both') {
    throw new ValueError(
      `findLandmarks: network is "${String(network)}", expected "dense", "hourglass" or "both"`,
    )
  }
  const raster = await readRaster('findLandmarks: picture', picture)
  checkFaceBox('findLandmarks', box, raster)
  if (network === 'dense') return findDense(raster, box)
  const { options: shape, predict } = await cachedLayersNetwork('hourglass', openHourglass)
  const predictor = { inputSize: shape.inputSize, predict }
  if (network === 'hourglass') return lookAtBox(raster, predictor, box)
  const points = await findDense(raster, box)
  return mix(points, await lookAgain(raster, predictor, points), HOURGLASS_SHARE)
}

/** `share` of the second, the rest of the first. */
function mix(first: Points, second: Points, share: number): Points {
  const data = Float32Array.from(first.data, (value, i) => value + share * (second.data[i] - value))
  return ndarray(data, [landmarkCount, 2])
}

/** By the dense network, from the box and, if its looks disagree, from elsewhere. */
async function findDense(raster: Raster, box: Box): Promise<Points> {
  const network = await cachedNetwork('landmarks', createDenseLandmarkNetwork)
  let best = await settle(raster, network, boxView(box))
  if (best.spread <= DOUBTFUL) return best.points
  for (const start of otherStarts(boxView(box))) {
    const other = await settle(raster, network, start)
    if (other.spread < best.spread) best = other
  }
  return best.points
}

/** Landmarks, and how far the looks disagree about them. */
interface Estimate {
  points: Points
  /** Mean distance of the looks' points from their mean, in sizes of the square around the landmarks. */
  spread: number
}

/** Looks again and again in the square around the landmarks until it settles. */
async function settle(raster: Raster, network: LandmarkNetwork, start: LandmarkView): Promise<Estimate> {
  let looks = await predictInViews(raster, network, inScales(start, BOX_SCALES))
  let points = meanPoints(looks)
  let view = landmarksView(points)
  for (let round = 0; round < ROUNDS; round++) {
    if (!(view.size > LEAST_SIZE)) return { points, spread: Infinity }
    looks = await predictInViews(raster, network, inScales(view, LANDMARK_SCALES))
    points = meanPoints(looks)
    const next = landmarksView(points)
    const change = Math.hypot(next.x - view.x, next.y - view.y) + Math.abs(next.size - view.size)
    const settled = change < SETTLED * view.size
    view = next
    if (settled) break
  }
  return { points, spread: disagreement(looks, points) / view.size }
}

/** Where to begin when the box misleads: below, above, and with more around. */
function otherStarts(view: LandmarkView): LandmarkView[] {
  return [
    { ...view, y: view.y + 0.2 * view.size },
    { ...view, y: view.y - 0.2 * view.size },
    { ...view, size: 1.4 * view.size },
    { ...view, size: 0.75 * view.size },
  ]
}

function disagreement(looks: readonly Points[], points: Points): number {
  let sum = 0
  for (const look of looks) {
    for (let k = 0; k < landmarkCount; k++) {
      sum += Math.hypot(look.get(k, 0) - points.get(k, 0), look.get(k, 1) - points.get(k, 1))
    }
  }
  return sum / looks.length / landmarkCount
}

/** The view in several sizes, each also in a mirror. */
function inScales(view: LandmarkView, scales: readonly number[]): LandmarkView[] {
  return scales.flatMap((scale) =>
    [false, true].map((mirrored) => ({ ...view, size: view.size * scale, mirrored })),
  )
}
