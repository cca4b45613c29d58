import type { Tensor3D } from '@tensorflow/tfjs-core'
import { assertInteger } from '@facekit/core'
import type { Box } from '../detect/box.js'
import { checkFaceBox } from '../detect/face-box.js'
import type { LandmarkView } from '../landmarks/landmark-view.js'
import { cachedLayersNetwork } from '../network-cache.js'
import type { Picture } from '../pictures/picture.js'
import { readRaster } from '../pictures/picture-raster.js'
import type { Raster } from '../pictures/resample.js'
import type { Points } from '../pictures/similarity-transform.js'
import { visibleRaster } from '../pictures/stretch-contrast.js'
import { openDenseNetwork } from './dense-file.js'
import type { DenseLandmarks } from './dense-landmarks.js'
import { denseBoxView, denseViewOfLandmarks, sameView } from './dense-view.js'
import { predictDense, type DenseSight } from './predict-dense.js'

/** Options of `findDenseLandmarks`. */
export interface FindDenseLandmarksOptions {
  /** By how many quarter turns, clockwise, the face is turned, as `detectFaces` says. Default 0; where the network is not sure the other turns
   * are tried. */
  quarterTurns?: number
}

/** Mean deviation of the points, in sides of the view, above which other turns are tried. */
const DOUBTFUL = 0.02

/** Finds some 550 points of the base model's mesh, hidden ones too, with depths and standard deviations, and what the picture says of the
 * identity coefficients.
 *
 * A network looks at the box, and again at the upright square around what it found. It learned from rendered faces alone
 * (@facekit/synthetic), after Wood et al., 3D Face Reconstruction with Dense Landmarks, ECCV 2022.
 *
 * @param picture - `[H, W, 3]`: a `Picture`, or a tensor of encoded colours in 0..1
 * @param box - of the face, as `detectFaces` gives it, pixels of the picture; may reach outside
 * @differentiable no
 * @memory plain data. The network is loaded on first use and kept, see `disposeNetworks`.
 * @throws {ShapeError} when the picture is not `[H, W, 3]`
 * @throws {ImageError} when it is absurdly large or not finite
 * @throws {ValueError} when the box is not finite or empty
 * @throws {AnnotationError} when the box lies outside of the picture
 * @throws {ModelFormatError} when the weights cannot be read
 * @example
 * const picture = await readPicture('me.jpg')
 * const [{ box }] = await detectFaces(picture)
 * const { positions, deviations } = await findDenseLandmarks(picture, box)
 */
export async function findDenseLandmarks(
  picture: Picture | Tensor3D,
  box: Box,
  options: FindDenseLandmarksOptions = {},
): Promise<DenseLandmarks> {
  const { quarterTurns = 0 } = options
  assertInteger('findDenseLandmarks: quarterTurns', quarterTurns, 0, 3)
  const raster = visibleRaster(await readRaster('findDenseLandmarks: picture', picture))
  checkFaceBox('findDenseLandmarks', box, raster)
  return (await locateDense(raster, box, quarterTurns)).found
}

/** The points of a face in a detector's box. */
export async function locateDense(raster: Raster, box: Box, quarterTurns = 0): Promise<DenseSight> {
  const first = await denseAround(raster, denseBoxView(box, quarterTurns))
  if (first.doubt <= DOUBTFUL) return first
  let best = first
  for (const turn of [2, 1, 3]) {
    const other = await denseAround(raster, denseBoxView(box, quarterTurns + turn))
    if (other.doubt < best.doubt) best = other
  }
  return best
}

/** The points of a face whose 68 landmarks are known. */
export async function denseFromLandmarks(picture: Picture, landmarks: Points): Promise<DenseLandmarks> {
  return denseAroundLandmarks(visibleRaster(await readRaster('annotate: image', picture)), landmarks)
}

/** As `denseFromLandmarks`, in what is seen of a picture. */
export const denseAroundLandmarks = async (raster: Raster, landmarks: Points): Promise<DenseLandmarks> =>
  (await denseAround(raster, denseViewOfLandmarks(landmarks))).found

/** The points of the face in a view: seen there, then, if that is another place, upright around what was seen. */
export async function denseAround(raster: Raster, view: LandmarkView): Promise<DenseSight> {
  const predictor = await cachedLayersNetwork('dense-landmarks', openDenseNetwork)
  const [coarse] = await predictDense(raster, predictor, [view])
  if (sameView(view, coarse.view)) return coarse
  const [fine] = await predictDense(raster, predictor, [coarse.view])
  return fine
}
