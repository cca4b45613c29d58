import ndarray, { type NdArray } from 'ndarray'
import { assertInRange, assertShape, ValueError } from '@facekit/core'
import { blurMask } from './blur-mask.js'
import { logDensity } from './gaussian-mixture.js'
import type { Points } from './similarity-transform.js'
import { skinFeatureCount, skinFeatures, skinReference } from './skin-features.js'
import { skinModel, type DensityPair } from './skin-model.js'

/** Options of `skinProbability`. */
export interface SkinProbabilityOptions {
  /** `[S, S]` 0..1, the result is multiplied by it and only pixels in it serve as reference. Default: the whole crop. */
  faceRegion?: NdArray<Float32Array>
  /** Share of skin that is expected before looking, in (0, 1). Default 0.8, as in a face. */
  prior?: number
}

// The two classifiers see the same pixel, so their evidence overlaps; on held-out people this share gave the largest area
// under the ROC curve (scripts/fit-skin-model.ts), and it hardly matters between 0.25 and 1.
const independentShare = 0.25

/** Probability that each pixel of an aligned crop is bare skin (the p_i of MM '22, Eq. 9).
 *
 * A naive Bayes classifier with Gaussian mixtures for skin and for the rest, over log brightness and two log colour ratios:
 * `log odds = log prior odds + 0.25 llr(colour) + max llr(colour - reference)`, where the references are the same face's bare
 * skin: cheeks and nose together, and each cheek alone.
 * The second term adapts to every skin tone, light and colour cast; it stands alone in a picture without colour. Beard, hair,
 * brows, lips and highlights differ from the cheeks, and so get low values.
 *
 * @param image - `[S, S, 3]` encoded, 0..1
 * @param landmarks - `[68, 2]` pixels of the crop
 * @returns `[S, S]` 0..1
 * @throws {ShapeError} when a shape differs
 * @throws {ValueError} when the prior is not between 0 and 1
 */
export function skinProbability(
  image: NdArray<Float32Array>,
  landmarks: Points,
  options: SkinProbabilityOptions = {},
): NdArray<Float32Array> {
  const { faceRegion, prior = 0.8 } = options
  const { H, W } = assertShape('skinProbability: image', image, ['H', 'W', 3])
  assertShape('skinProbability: landmarks', landmarks, [68, 2])
  if (faceRegion) assertShape('skinProbability: faceRegion', faceRegion, [H, W])
  assertInRange('skinProbability: prior', prior, 0, 1)
  if (prior === 0 || prior === 1) {
    throw new ValueError(`skinProbability: prior is ${prior}, expected a number between 0 and 1`)
  }
  const independent = logRatio(skinModel.absolute)
  const relative = logRatio(skinModel.relative)
  const reference = skinReference(image, landmarks, faceRegion, independent)
  const known = reference.centres.length > 0
  const share = known && isColorless(image) ? 0 : known ? independentShare : 1
  const features = new Float64Array(skinFeatureCount)
  const difference = new Float64Array(skinFeatureCount)
  const evidence = new Float32Array(H * W)
  for (let y = 0; y < H; y++) {
    for (let x = 0; x < W; x++) {
      if (faceRegion && !(faceRegion.get(y, x) > 0)) continue
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
  const smooth = blurMask(evidence, W, H, 1, 1)
  const priorOdds = Math.log(prior / (1 - prior))
  const probability = ndarray(new Float32Array(H * W), [H, W])
  for (let y = 0; y < H; y++) {
    for (let x = 0; x < W; x++) {
      const inside = faceRegion ? faceRegion.get(y, x) : 1
      probability.set(y, x, inside / (1 + Math.exp(-smooth[y * W + x] - priorOdds)))
    }
  }
  return probability
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
