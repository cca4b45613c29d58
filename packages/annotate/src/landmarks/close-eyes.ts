import ndarray, { type NdArray } from 'ndarray'
import { assertInRange, assertShape } from '@facekit/core'
import { eyeEvidence } from './eye-evidence.js'
import { eyeFrame, eyeLandmarks, type EyeSide } from './eye-frame.js'
import { smoothStep } from './mouth-evidence.js'
import type { Points } from '../pictures/similarity-transform.js'

// Contributor notes. The landmark network leaves eyes open by 0.2 to 0.3 of their width whatever they do: it has hardly seen shut ones. So
// the pixels decide alone. Tried and given up: the darkest line's height and thickness, darkness beside the iris (0.86 to 0.90 of pairs
// of a shut and an open eye told apart, brightness where the upper lid would be 0.99), a small network trained on other landmarks (0.86).
/** Log-odds that an eye is shut, where shut and open ones are as frequent. */
const ODDS = { lid: 13.9, seam: 6.3, offset: -11 }
/** Brighter lids are reflections, and say no more. */
const BRIGHTEST = 1.15
/** From the first on lids come down, from the second on they meet: open eyes are thirty times as frequent as shut ones. */
const [FIRST, SURE] = [1, 3.5]
/** What is left between the lids of a shut eye, in widths. */
const SEAM = 0.02

/** Options of `closeEyes`. */
export interface CloseEyesOptions {
  /** Pixels of the crop for each pixel of the picture (the scale of the alignment): enlarged pictures say less. Default 1. */
  scale?: number
}

/** Closes the lids of 68 landmarks as far as the pixels show them closed.
 *
 * Landmark networks see eyes open that are shut. Where the upper part of an eye is as bright as skin, and what is dark lies low, its upper
 * lid comes down to the lower one, which stays: that is where the lashes of a shut eye lie. Both eyes are looked at together: few people
 * wink. Lids are never opened; of eyes that are a few pixels wide, or without contrast, nothing is believed. Continuous in the landmarks.
 *
 * @param image - `[H, W, 3]` encoded, 0..1: an upright face
 * @param landmarks - `[68, 2]` pixels of the image, pixel centres at +0.5
 * @returns `[68, 2]`, new; only landmarks 37, 38, 43 and 44 differ
 * @differentiable no
 * @memory plain data
 * @throws {ShapeError} when a shape differs
 * @throws {ValueError} when `scale` is not from 1e-6 to 1e6
 * @example
 * const { image, transform } = cropFace(picture, landmarks)
 * closeEyes(image, applyTransform(transform, landmarks), { scale: transform.scale }) // [68, 2] pixels of the crop
 */
export function closeEyes(
  image: NdArray<Float32Array>,
  landmarks: Points,
  options: CloseEyesOptions = {},
): NdArray<Float32Array> {
  const { scale = 1 } = options
  assertShape('closeEyes: image', image, ['H', 'W', 3])
  assertShape('closeEyes: landmarks', landmarks, [68, 2])
  assertInRange('closeEyes: scale', scale, 1e-6, 1e6)
  const result = ndarray(new Float32Array(136), [68, 2])
  for (let i = 0; i < 136; i++) result.data[i] = landmarks.get(i >> 1, i & 1)
  if (Math.min(image.shape[0], image.shape[1]) < 2) return result
  const eyes = (['right', 'left'] as const).flatMap((side) => {
    const frame = eyeFrame(landmarks, side)
    if (!frame || frame.lower <= frame.upper) return []
    const { lid, seam, depth } = eyeEvidence(image, frame)
    const odds = ODDS.lid * Math.min(lid, BRIGHTEST) + ODDS.seam * seam + ODDS.offset
    return [{ side, frame, odds, depth }]
  })
  // The eye that is turned away says less.
  const total = eyes.reduce((sum, { frame }) => sum + frame.width, 0)
  const both = eyes.reduce((sum, { frame, odds }) => sum + (frame.width / total) * odds, 0)
  for (const { side, frame, odds, depth } of eyes) {
    const sure = smoothStep(frame.width / Math.max(1, scale), 4, 7) * smoothStep(depth, 0.08, 0.2)
    const shut = sure * smoothStep((odds + both) / 2, FIRST, SURE)
    lower(result, landmarks, side, Math.max(1 - shut, Math.min(1, SEAM / (frame.lower - frame.upper))))
  }
  return result
}

/** Brings the upper lid down; `kept` is the share of the opening that stays. */
function lower(result: NdArray<Float32Array>, landmarks: Points, side: EyeSide, kept: number): void {
  const [, u1, u2, , l2, l1] = eyeLandmarks[side]
  for (const [above, below] of [
    [u1, l1],
    [u2, l2],
  ]) {
    for (const axis of [0, 1]) {
      const from = landmarks.get(below, axis)
      result.set(above, axis, from + kept * (landmarks.get(above, axis) - from))
    }
  }
}
