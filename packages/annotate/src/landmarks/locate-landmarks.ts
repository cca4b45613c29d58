import ndarray from 'ndarray'
import type { Box } from '../detect/box.js'
import { cachedLayersNetwork } from '../network-cache.js'
import type { DenseLandmarks } from '../dense/dense-landmarks.js'
import { meanWithDense } from './mean-with-dense.js'
import type { Raster } from '../pictures/resample.js'
import type { Points } from '../pictures/similarity-transform.js'
import { denseLandmarks } from './dense-landmarks.js'
import { hourglassAround, type HeatmapPredictor } from './hourglass-views.js'
import { openHourglass } from './hourglass.js'
import { boxView, landmarkCount, landmarksView } from './landmark-view.js'
import type { ViewLandmarks } from './predict-views.js'
import { SURE, turnedLandmarks } from './turned-landmarks.js'

/** Share of the hourglass network in the mean of both. */
const HOURGLASS_SHARE = 0.7

/** Landmarks, and what the dense network saw on the way. */
export interface LocatedLandmarks extends ViewLandmarks {
  dense?: DenseLandmarks
}

/** Finds the landmarks of a face that may be turned by quarter turns: means of all three networks. */
export async function locateByAll(raster: Raster, box: Box, quarterTurns = 0): Promise<LocatedLandmarks> {
  const { points, score } = await locateLandmarks(raster, box, quarterTurns)
  return { ...(await meanWithDense(raster, points)), score }
}

/** Finds the landmarks of a face that may be turned by quarter turns, by the two networks that learned from photographs.
 *
 * @param quarterTurns - how the face is believed to be turned, clockwise in the picture
 * @returns landmarks of the turn of which the hourglass network is sure; where it is sure of none, those of `quarterTurns`. `score` is
 *   its mean score, `SURE` or more where the landmarks are the right way up
 */
export async function locateLandmarks(raster: Raster, box: Box, quarterTurns = 0): Promise<ViewLandmarks> {
  const predictor = await shippedPredictor()
  const first = await byBoth(raster, predictor, await denseLandmarks(raster, boxView(box, quarterTurns)))
  if (first.score >= SURE) return first
  const turned = await turnedLandmarks(raster, predictor, box, quarterTurns)
  if (!turned) return first
  return byBoth(raster, predictor, await denseLandmarks(raster, landmarksView(turned.points)))
}

/** The hourglass network that comes with the package. */
export async function shippedPredictor(): Promise<HeatmapPredictor> {
  const { options, predict } = await cachedLayersNetwork('hourglass', openHourglass)
  return { inputSize: options.inputSize, predict }
}

/** The mean of both networks around the dense one's landmarks. */
async function byBoth(raster: Raster, predictor: HeatmapPredictor, points: Points): Promise<ViewLandmarks> {
  const second = await hourglassAround(raster, predictor, points)
  const data = Float32Array.from(
    points.data,
    (value, i) => value + HOURGLASS_SHARE * (second.points.data[i] - value),
  )
  return { points: ndarray(data, [landmarkCount, 2]), score: second.score }
}
