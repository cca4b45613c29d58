import type { Box } from '../detect/box.js'
import type { Raster } from '../pictures/resample.js'
import { hourglassInView, type HeatmapPredictor } from './hourglass-views.js'
import { boxView } from './landmark-view.js'
import type { ViewLandmarks } from './predict-views.js'

// Contributor notes. What tells how a face is turned: the mean score of the hourglass network's landmarks. Of 22 faces of photographs 20
// score 0.97 to 0.98 the right way up, the two whose mouths are covered 0.78 and 0.88; the wrong way up they score 0.35 to 0.94 (unless the views
// turn to the right way by themselves, as they do for a third of the faces that lie on their side). The detector's score does not tell: it
// finds a third of the faces upside down, some of them at 0.99.
/** From this score on landmarks are the right way up. */
export const SURE = 0.95

/** Finds the landmarks of a face that may be turned by quarter turns, by an hourglass network alone. */
export async function locateByHourglass(
  raster: Raster,
  predictor: HeatmapPredictor,
  box: Box,
  quarterTurns = 0,
): Promise<ViewLandmarks> {
  const first = await hourglassInView(raster, predictor, boxView(box, quarterTurns))
  if (first.score >= SURE) return first
  return (await turnedLandmarks(raster, predictor, box, quarterTurns)) ?? first
}

/** The landmarks of another quarter turn, if the network is sure of one. */
export async function turnedLandmarks(
  raster: Raster,
  predictor: HeatmapPredictor,
  box: Box,
  quarterTurns: number,
): Promise<ViewLandmarks | undefined> {
  let best: ViewLandmarks | undefined
  for (const turn of [2, 1, 3]) {
    const found = await hourglassInView(raster, predictor, boxView(box, quarterTurns + turn))
    if (found.score >= SURE && found.score > (best?.score ?? 0)) best = found
  }
  return best
}
