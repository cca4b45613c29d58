import ndarray, { type NdArray } from 'ndarray'
import { assertInRange, assertShape } from '@facekit/core'
import { mouthEvidence, smoothStep, type MouthEvidence } from './mouth-evidence.js'
import { innerPairs, middle, mouthFrame, mouthProfile, type MouthFrame } from './mouth-profile.js'
import type { Points } from '../pictures/similarity-transform.js'

// Contributor notes. The landmark network hardly ever lets the lips meet: its gap is 0.00 to 0.09 of the mouth's width for closed
// mouths and 0.05 upwards for open ones. Between, the pixels decide. Tried and given up: dark width alone (the upper
// lip's shadow over a closed mouth is as dark and wide as a slightly open one), brightness of the lower lip alone (gloss
// looks like teeth). Where all is in doubt the gap is kept: a mouth wrongly closed loses its teeth, one wrongly open shows a slit.
/** From this gap on, in widths of the mouth, nothing is changed: the network is right about mouths that are wide open. */
const OPEN = 0.15
/** Gap at which mouths without other evidence are as often open as closed. */
const DOUBTFUL = 0.1
/** Log-odds for opening by each width of gap, each width of cavity, and teeth. */
const ODDS = { gap: 60, cavity: 30, teeth: 4.5 }
/** Width of the seam of closed lips, as darkness. */
const SEAM = 0.02
/** Farthest that the seam may be from the middle of a pair, in widths of the mouth. */
const FARTHEST = 0.08

/** Options of `closeLips`. */
export interface CloseLipsOptions {
  /** Pixels of the crop for each pixel of the picture (the scale of the alignment): enlarged pictures say less. Default 1. */
  scale?: number
}

/** Closes the inner lips of 68 landmarks as far as the pixels show them closed.
 *
 * Landmark networks keep closed lips some pixels apart. Looks across the lips, brought on top of each other along the darkest
 * line, tell a seam from a dark cavity or teeth; from that and the gap of the landmarks follows the share of the gap that is
 * kept, 0 for lips that are evidently closed. Pairs 61-67, 62-66 and 63-65 then close around the darkest line. Gaps only
 * become smaller; pairs whose gap is negative meet. Gaps above 0.15 of the mouth's width stay as they are, and where a crop
 * is too coarse or flat to tell, only tiny gaps shrink. Continuous in the landmarks but for jumps of the darkest line.
 *
 * @param image - `[H, W, 3]` encoded, 0..1: an upright face
 * @param landmarks - `[68, 2]` pixels of the image, pixel centres at +0.5
 * @returns `[68, 2]`, new; only landmarks 61-63 and 65-67 differ
 * @differentiable no
 * @memory plain data
 * @throws {ShapeError} when a shape differs
 * @throws {ValueError} when `scale` is not from 1e-6 to 1e6
 * @example
 * const { image, transform } = cropFace(picture, landmarks)
 * closeLips(image, applyTransform(transform, landmarks), { scale: transform.scale }) // [68, 2] pixels of the crop
 */
export function closeLips(
  image: NdArray<Float32Array>,
  landmarks: Points,
  options: CloseLipsOptions = {},
): NdArray<Float32Array> {
  const { scale = 1 } = options
  assertShape('closeLips: image', image, ['H', 'W', 3])
  assertShape('closeLips: landmarks', landmarks, [68, 2])
  assertInRange('closeLips: scale', scale, 1e-6, 1e6)
  const result = ndarray(new Float32Array(136), [68, 2])
  for (let i = 0; i < 136; i++) result.data[i] = landmarks.get(i >> 1, i & 1)
  const frame = mouthFrame(landmarks)
  if (!frame || Math.min(image.shape[0], image.shape[1]) < 2) return result
  const gaps = innerPairs.map(([upper, lower]) => gapOf(landmarks, upper, lower, frame))
  const gap = gaps.reduce((sum, value) => sum + value, 0) / gaps.length
  if (!(gap < OPEN)) return result

  const profile = mouthProfile(image, landmarks, frame)
  const evidence = mouthEvidence(image, landmarks, frame, profile)
  const sure = confidence(evidence, frame.width / Math.max(1, scale))
  const kept = shareKept(gap, evidence, sure)
  for (const [k, [upper, lower]] of innerPairs.entries()) {
    const before = middle(landmarks, upper, lower)
    const half = (kept * Math.max(0, gaps[k]) * frame.width) / 2
    // What stays open stays where it is; what closes goes to the seam, where there is one.
    const shift = (1 - kept) * sure * Math.min(FARTHEST, Math.max(-FARTHEST, profile.seam[k])) * frame.width
    for (const [i, side] of [
      [upper, -1],
      [lower, 1],
    ] as const) {
      const along =
        kept *
        ((landmarks.get(i, 0) - before[0]) * frame.along[0] +
          (landmarks.get(i, 1) - before[1]) * frame.along[1])
      for (const axis of [0, 1]) {
        result.set(
          i,
          axis,
          before[axis] + along * frame.along[axis] + (shift + side * half) * frame.down[axis],
        )
      }
    }
  }
  return result
}

/** How far landmark `lower` is below `upper`, in widths of the mouth. */
function gapOf(landmarks: Points, upper: number, lower: number, { width, down }: MouthFrame): number {
  const [x, y] = [0, 1].map((axis) => landmarks.get(lower, axis) - landmarks.get(upper, axis))
  return (x * down[0] + y * down[1]) / width
}

/** How much the pixels can tell, 0..1: nothing when the mouth is flat or was enlarged from a few pixels. */
function confidence({ depth, teeth }: MouthEvidence, pixels: number): number {
  return Math.max(smoothStep(depth, 0.08, 0.22), teeth) * smoothStep(pixels, 7, 14)
}

/** The share of the gap that is kept, 0..1. */
function shareKept(gap: number, { cavity, teeth }: MouthEvidence, sure: number): number {
  const odds = ODDS.gap * (gap - DOUBTFUL) + ODDS.cavity * (cavity - SEAM) + ODDS.teeth * teeth
  const open = Math.max(smoothStep(odds, -0.8, 1), smoothStep(gap, DOUBTFUL, OPEN))
  return sure * open + (1 - sure) * smoothStep(gap, -0.01, 0.05)
}
