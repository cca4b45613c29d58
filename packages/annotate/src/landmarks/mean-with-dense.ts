import ndarray from 'ndarray'
import { denseAroundLandmarks } from '../dense/find-dense-landmarks.js'
import type { DenseLandmarks } from '../dense/dense-landmarks.js'
import type { Raster } from '../pictures/resample.js'
import type { Points } from '../pictures/similarity-transform.js'
import { landmarkCount } from './landmark-view.js'

// Contributor notes. Networks that learned from annotated photographs and one that learned from rendered faces err in other ways, so that a mean of theirs is
// better than each. What an annotator calls the end of a brow or a point of the jaw no mesh knows, but where lids and lips are
// rendered faces show exactly.
/** Share of the dense network in each of the 68: the jaw's, brows', nose's, eyes', lips'. */
const SHARES = [
  { end: 17, share: 0.2 },
  { end: 27, share: 0.15 },
  { end: 36, share: 0.2 },
  { end: 48, share: 0.3 },
  { end: landmarkCount, share: 0.3 },
] as const

/** The 68 landmarks as a mean of those that are given and of what the dense network sees around them.
 *
 * @returns also what it sees
 */
export async function meanWithDense(
  raster: Raster,
  points: Points,
): Promise<{ points: Points; dense: DenseLandmarks }> {
  const dense = await denseAroundLandmarks(raster, points)
  const mean = ndarray(new Float32Array(2 * landmarkCount), [landmarkCount, 2])
  for (let k = 0; k < landmarkCount; k++) {
    const { share } = SHARES.find(({ end }) => k < end)!
    for (const axis of [0, 1]) {
      const own = points.get(k, axis)
      mean.set(k, axis, own + share * (dense.landmarks.get(k, axis) - own))
    }
  }
  return { points: mean, dense }
}
