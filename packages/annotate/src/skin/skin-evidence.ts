import type { NdArray } from 'ndarray'
import { blurMask } from '../pictures/blur-mask.js'
import { logDensity } from './gaussian-mixture.js'
import type { Points } from '../pictures/similarity-transform.js'
import { skinFeatureCount, skinFeatures, skinReference } from './skin-features.js'
import { skinModel, type DensityPair } from './skin-model.js'

// The two classifiers see the same pixel, so their evidence overlaps; on held-out people this share gave the largest area
// under the ROC curve (scripts/fit-skin-model.ts), and it hardly matters between 0.25 and 1.
const independentShare = 0.25

/** What each pixel's colour and its neighbours say for skin, before calibration: `[H * W]` log-odds from -8 to 8.
 *
 * @param image - `[H, W, 3]` encoded, 0..1
 * @param landmarks - `[68, 2]` pixels of the image
 * @param mask - `[H, W]`; where it is 0 nothing is looked at
 */
export function skinEvidence(
  image: NdArray<Float32Array>,
  landmarks: Points,
  mask?: NdArray<Float32Array>,
): Float32Array {
  const [H, W] = image.shape
  const independent = logRatio(skinModel.absolute)
  const relative = logRatio(skinModel.relative)
  const reference = skinReference(image, landmarks, mask, independent)
  const known = reference.centres.length > 0
  const share = known && isColorless(image) ? 0 : known ? independentShare : 1
  const features = new Float64Array(skinFeatureCount)
  const difference = new Float64Array(skinFeatureCount)
  const evidence = new Float32Array(H * W)
  for (let y = 0; y < H; y++) {
    for (let x = 0; x < W; x++) {
      if (mask && !(mask.get(y, x) > 0)) continue
      skinFeatures(image.get(y, x, 0), image.get(y, x, 1), image.get(y, x, 2), features)
      let odds = share === 0 ? 0 : share * independent(features)
      let nearest = known ? -Infinity : 0
      for (const centre of reference.centres) {
        for (let i = 0; i < skinFeatureCount; i++) difference[i] = features[i] - centre[i]
        nearest = Math.max(nearest, relative(difference))
      }
      odds += nearest
      // No single pixel may outvote its whole neighbourhood in the average that follows.
      evidence[y * W + x] = Math.min(8, Math.max(-8, odds))
    }
  }
  return blurMask(evidence, W, H, 1, 1)
}

function logRatio(pair: DensityPair): (features: ArrayLike<number>) => number {
  const skin = logDensity(pair.skin)
  const other = logDensity(pair.other)
  return (features) => skin(features) - other(features)
}

/** Whether a picture is grey all over, or toned in one colour: then the colour of a pixel says nothing. */
function isColorless(image: NdArray<Float32Array>): boolean {
  const [height, width] = image.shape
  const sums = [0, 0, 0, 0]
  const features = new Float64Array(skinFeatureCount)
  let count = 0
  for (let y = 0; y < height; y += 4) {
    for (let x = 0; x < width; x += 4) {
      skinFeatures(image.get(y, x, 0), image.get(y, x, 1), image.get(y, x, 2), features)
      for (let i = 0; i < 2; i++) {
        sums[i] += features[1 + i]
        sums[2 + i] += features[1 + i] ** 2
      }
      count++
    }
  }
  const variance = (i: number) => sums[2 + i] / count - (sums[i] / count) ** 2
  return variance(0) + variance(1) < 0.03 ** 2
}
