import { cachedLayersNetwork } from '../network-cache.js'
import type { Picture } from '../pictures/picture.js'
import { readRaster } from '../pictures/picture-raster.js'
import { visibleRaster } from '../pictures/stretch-contrast.js'
import { openDenseNetwork } from './dense-file.js'
import type { DenseLandmarks } from './dense-landmarks.js'
import { denseView } from './dense-view.js'
import { predictDense } from './predict-dense.js'

/** Finds the dense landmarks of a face in the next picture of a video, from where they were in the picture before: one pass of the network instead of a search.
 *
 * @param picture - `[H, W, 3]`
 * @param previous - landmarks of the same face in a picture of the same size; it may have moved by about a quarter of its size
 * @returns the landmarks, and how unsure the network is: mean deviation in sides of the square that it looked at. Above 0.02 there may be no face any more.
 * @differentiable no
 * @memory plain data. The network is loaded on first use and kept, see `disposeNetworks`.
 * @throws {ShapeError} when the picture is not `[H, W, 3]`
 * @throws {ModelFormatError} when the weights cannot be read
 */
export async function followDenseLandmarks(
  picture: Picture,
  previous: Pick<DenseLandmarks, 'positions' | 'depths'>,
): Promise<{ found: DenseLandmarks; doubt: number }> {
  const raster = visibleRaster(await readRaster('followDenseLandmarks: picture', picture))
  const count = previous.depths.length
  const solid = Float32Array.from({ length: 3 * count }, (_, i) => {
    const [point, axis] = [Math.floor(i / 3), i % 3]
    return axis < 2 ? previous.positions.get(point, axis) : previous.depths[point]
  })
  const predictor = await cachedLayersNetwork('dense-landmarks', openDenseNetwork)
  const [{ found, doubt }] = await predictDense(raster, predictor, [denseView(solid, count)])
  return { found, doubt }
}
