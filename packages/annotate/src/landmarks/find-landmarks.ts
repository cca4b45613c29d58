import type { Tensor3D } from '@tensorflow/tfjs-core'
import type { NdArray } from 'ndarray'
import { assertInteger, ValueError } from '@facekit/core'
import type { Box } from '../detect/box.js'
import { checkFaceBox } from '../detect/face-box.js'
import type { Picture } from '../pictures/picture.js'
import { readRaster } from '../pictures/picture-raster.js'
import { visibleRaster } from '../pictures/stretch-contrast.js'
import { denseLandmarks } from './dense-landmarks.js'
import { boxView } from './landmark-view.js'
import { locateByAll, locateLandmarks, shippedPredictor } from './locate-landmarks.js'
import { locateByHourglass } from './turned-landmarks.js'

/** Options of `findLandmarks`. */
export interface FindLandmarksOptions {
  /** `'dense'`: face-api's network of 0.4 MB. `'hourglass'`: ours, of 4.8 MB, see `loadHourglass`. `'both'`: the second sees what the first
   * found, and the landmarks are a mean of theirs. `'all'`: these and, around them, the network of `findDenseLandmarks`. Default `'all'`. */
  network?: 'dense' | 'hourglass' | 'both' | 'all'
  /** By how many quarter turns, clockwise, the face is turned, as `detectFaces` says. Default 0. */
  quarterTurns?: number
}

const NETWORKS: readonly FindLandmarksOptions['network'][] = ['dense', 'hourglass', 'both', 'all']

/** Finds the 68 landmarks of a face, also of one that lies on its side or stands on its head.
 *
 * Where the hourglass network is not sure of the landmarks it tries the other quarter turns, and takes one of which it is sure; `'dense'`
 * keeps to `quarterTurns`.
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
  const { network = 'all', quarterTurns = 0 } = options
  if (!NETWORKS.includes(network)) {
    throw new ValueError(
      `findLandmarks: network is "${String(network)}", expected one of ${NETWORKS.join(', ')}`,
    )
  }
  assertInteger('findLandmarks: quarterTurns', quarterTurns, 0, 3)
  const raster = visibleRaster(await readRaster('findLandmarks: picture', picture))
  checkFaceBox('findLandmarks', box, raster)
  if (network === 'dense') return denseLandmarks(raster, boxView(box, quarterTurns))
  if (network === 'both') return (await locateLandmarks(raster, box, quarterTurns)).points
  if (network === 'all') return (await locateByAll(raster, box, quarterTurns)).points as NdArray<Float32Array>
  return (await locateByHourglass(raster, await shippedPredictor(), box, quarterTurns)).points
}
