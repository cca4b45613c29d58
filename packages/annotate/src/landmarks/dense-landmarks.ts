import { cachedNetwork } from '../network-cache.js'
import type { Raster } from '../pictures/resample.js'
import type { Points } from '../pictures/similarity-transform.js'
import { createDenseLandmarkNetwork, type LandmarkNetwork } from './dense-landmark-network.js'
import { landmarkCount, landmarksView, scaledView, type LandmarkView } from './landmark-view.js'
import { meanLandmarksOf, predictInViews, type ViewLandmarks } from './predict-views.js'

// Contributor notes. One view of a detector's box is off by 6 % of the face, and each view is off in another direction: the mean
// over sizes and mirror images, taken again in a square that is derived from the landmarks and level, is off by 4 % (both with the 3 % by
// which the annotations themselves are off, see benchmarks/landmarks.ts). Where a box is off, the square may shrink from round to round;
// the views then disagree, and other places to begin are tried.
/** Sizes of the first views, in sizes of the box. */
const BOX_SCALES = [1.1, 1.2, 1.3]
/** Sizes of the later views, in sizes of the square around the landmarks. */
const LANDMARK_SCALES = [1.3, 1.4, 1.5]
/** Most rounds of later views: most faces need two, those that the first round got wrong need more. */
const ROUNDS = 4
/** The square has settled when it moves and grows by less than this share of its size. */
const SETTLED = 0.015
/** Least size of that square in pixels: landmarks that fall together have no direction. */
const LEAST_SIZE = 2
/** Where the views disagree more than this, the network has not understood the face. */
const DOUBTFUL = 0.022

/** The landmarks by face-api's dense network, from the given view and, if its views disagree, from others. */
export async function denseLandmarks(raster: Raster, view: LandmarkView): Promise<Points> {
  const network = await cachedNetwork('landmarks', createDenseLandmarkNetwork)
  let best = await settle(raster, network, view)
  if (best.spread <= DOUBTFUL) return best.points
  for (const start of otherStarts(view)) {
    const other = await settle(raster, network, start)
    if (other.spread < best.spread) best = other
  }
  return best.points
}

/** Landmarks, and how far the views disagree about them. */
interface Estimate {
  points: Points
  /** Mean distance of the views' points from their mean, in sizes of the square around the landmarks. */
  spread: number
}

/** Takes new views of the square around the landmarks until it settles. */
async function settle(raster: Raster, network: LandmarkNetwork, start: LandmarkView): Promise<Estimate> {
  let views = await predictInViews(raster, network, inScales(start, BOX_SCALES))
  let { points } = meanLandmarksOf(views)
  let view = landmarksView(points)
  for (let round = 0; round < ROUNDS; round++) {
    if (!(view.size > LEAST_SIZE)) return { points, spread: Infinity }
    views = await predictInViews(raster, network, inScales(view, LANDMARK_SCALES))
    points = meanLandmarksOf(views).points
    const next = landmarksView(points)
    const change = Math.hypot(next.x - view.x, next.y - view.y) + Math.abs(next.size - view.size)
    const settled = change < SETTLED * view.size
    view = next
    if (settled) break
  }
  return { points, spread: disagreement(views, points) / view.size }
}

/** Where to begin when the box misleads: below, above, and with more around. */
function otherStarts(view: LandmarkView): LandmarkView[] {
  const [right, down] = [-Math.sin(view.angle), Math.cos(view.angle)]
  const moved = (by: number) => ({
    ...view,
    x: view.x + by * right * view.size,
    y: view.y + by * down * view.size,
  })
  return [moved(0.2), moved(-0.2), scaledView(view, 1.4), scaledView(view, 0.75)]
}

function disagreement(views: readonly ViewLandmarks[], mean: Points): number {
  let sum = 0
  for (const { points } of views) {
    for (let k = 0; k < landmarkCount; k++) {
      sum += Math.hypot(points.get(k, 0) - mean.get(k, 0), points.get(k, 1) - mean.get(k, 1))
    }
  }
  return sum / views.length / landmarkCount
}

/** The view in several sizes, each with its mirror image. */
function inScales(view: LandmarkView, scales: readonly number[]): LandmarkView[] {
  return scales.flatMap((scale) =>
    [false, true].map((mirrored) => ({ ...scaledView(view, scale), mirrored })),
  )
}
