import ndarray, { type NdArray } from 'ndarray'
import { assertInRange, assertShape, ValueError } from '@facekit/core'
import type { Points } from '../pictures/similarity-transform.js'
import { skinCalibration } from './skin-calibration.js'
import { skinEvidence } from './skin-evidence.js'

/** Options of `skinProbability`. */
export interface SkinProbabilityOptions {
  /** `[S, S]` 0..1, the result is multiplied by it and only pixels in it serve as reference. Default: the whole crop. */
  faceRegion?: NdArray<Float32Array>
  /** Share of skin that is expected before looking, in (0, 1). Default 0.8, as in a face. */
  prior?: number
}

/** Probability that each pixel of an aligned crop is bare skin (the p_i of MM '22, Eq. 9).
 *
 * A naive Bayes classifier with Gaussian mixtures for skin and for the rest, over log brightness and two log colour ratios:
 * `log odds = log prior odds + 0.25 llr(colour) + max llr(colour - reference)`, where the references are the same face's bare
 * skin: cheeks and nose together, and each cheek alone.
 * The second term adapts to every skin tone, light and colour cast; it stands alone in a picture without colour. Hair,
 * brows, lips and highlights differ from the cheeks, and so get low values; stubble only lower ones. The odds are then calibrated on people
 * whom the mixtures have not seen (`log odds = 0.903 evidence - 0.661 + log prior odds`), so that what is said to be skin with 0.7 is it
 * seven times in ten.
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
  const evidence = skinEvidence(image, landmarks, faceRegion)
  const { slope, offset } = skinCalibration
  const base = offset + Math.log(prior / (1 - prior))
  const probability = ndarray(new Float32Array(H * W), [H, W])
  for (let y = 0; y < H; y++) {
    for (let x = 0; x < W; x++) {
      const inside = faceRegion ? faceRegion.get(y, x) : 1
      probability.set(y, x, inside / (1 + Math.exp(-slope * evidence[y * W + x] - base)))
    }
  }
  return probability
}
