import type { NdArray } from 'ndarray'
import { brightness, colorAt, middle, reach, type MouthFrame, type MouthProfile } from './mouth-profile.js'
import type { Points } from '../pictures/similarity-transform.js'

/** What a profile across the lips says about the opening between them. */
export interface MouthEvidence {
  /** How much darker the dark line is than both lips, 0..1. */
  depth: number
  /** Width of darkness beyond that of lips, as if it were black, in widths of the mouth. Blurring keeps it. */
  cavity: number
  /** Whether there is something beside the dark line that is no redder than the skin and ends where a lip begins, 0..1. */
  teeth: number
}

/** 0 up to `from`, 1 from `to` on, smooth between. */
export function smoothStep(value: number, from: number, to: number): number {
  const t = Math.min(1, Math.max(0, (value - from) / (to - from)))
  return t * t * (3 - 2 * t)
}

/** Both cheeks, as the middle of four landmarks each. */
const CHEEKS = [
  [3, 31, 48, 41],
  [13, 35, 54, 46],
]

const redness = ([r, g]: readonly [number, number, number]) => Math.log((r + 0.04) / (g + 0.04))

/** Weighs a mouth's profile: a dark cavity, or teeth.
 *
 * Lip gloss is bright like teeth, but what shines through it is redder than the skin; a lit lower lip darkens only towards its
 * lower border, teeth end where the lower lip begins.
 */
export function mouthEvidence(
  image: NdArray<Float32Array>,
  landmarks: Points,
  frame: MouthFrame,
  profile: MouthProfile,
): MouthEvidence {
  const bright = profile.colors.map(brightness)
  const red = profile.colors.map(redness)
  // Distances of the outer borders of the lips from the dark line, in steps of a hundredth of the width.
  const [x, y] = middle(landmarks, 62, 66)
  const below = (i: number) =>
    ((landmarks.get(i, 0) - x) * frame.down[0] + (landmarks.get(i, 1) - y) * frame.down[1]) / frame.width -
    profile.seam[1]
  const upper = Math.min(reach, 100 * Math.max(0.08, -below(51)))
  const lower = Math.min(reach, 100 * Math.max(0.1, below(57)))

  const lips = Math.min(most(bright, -0.8 * upper, -0.4 * upper), most(bright, 0.4 * lower, 0.8 * lower))
  const depth = Math.max(0, 1 - bright[reach] / (lips + 0.02))
  let cavity = 0
  for (let k = reach - 15; k <= reach + 15; k++) {
    cavity += 0.01 * Math.max(0, 1 - bright[k] / (0.7 * lips + 1e-3))
  }

  const skin = skinRedness(image, landmarks)
  const lowerInner = 100 * below(66)
  const teeth = Math.max(
    teethBelow(bright, red, skin, lower, lowerInner),
    teethAbove(red, skin, upper, lower),
  )
  return { depth, cavity, teeth }
}

/** Teeth between the dark line and the lower lip: no redder than the skin, near the landmark of the lower lip, and followed by
 * something darker or redder. */
function teethBelow(bright: number[], red: number[], skin: number, lower: number, inner: number): number {
  let edge = 0
  let brightest = 2
  for (let t = 2; t < 0.65 * lower; t++) {
    for (let s = t + 1; s < 0.7 * lower; s++) {
      const fall = 1 - bright[reach + s] / (bright[reach + t] + 1e-3)
      if (fall > edge) [edge, brightest] = [fall, t]
    }
  }
  let palest = 3
  for (let t = palest; t < 0.6 * lower; t++) if (red[reach + t] < red[reach + palest]) palest = t
  const rise = most(red, palest, Math.max(palest, 0.8 * lower)) - red[reach + palest]
  const near = (t: number) => 1 - smoothStep(t - inner, 3.5, 6.5)
  return (
    Math.max(smoothStep(edge, 0.08, 0.25) * near(brightest), smoothStep(rise, 0.15, 0.35) * near(palest)) *
    (1 - smoothStep(red[reach + palest] - skin, 0, 0.12))
  )
}

/** Teeth above the dark line, when that is the border of a shadowed lower lip: less red than the skin, over a lip that is redder. */
function teethAbove(red: number[], skin: number, upper: number, lower: number): number {
  const pale = Math.min(...red.slice(reach - Math.round(0.7 * upper), reach - 3))
  const lip = red[reach + Math.round(0.5 * lower)]
  return smoothStep(lip - pale, 0.15, 0.3) * (1 - smoothStep(pale - skin, -0.06, 0.02))
}

/** The largest value from one distance to another. */
function most(values: readonly number[], from: number, to: number): number {
  return Math.max(...values.slice(reach + Math.round(from), reach + Math.round(to) + 1))
}

function skinRedness(image: NdArray<Float32Array>, landmarks: Points): number {
  let sum = 0
  for (const cheek of CHEEKS) {
    const mean = (axis: number) => cheek.reduce((total, i) => total + landmarks.get(i, axis) / 4, 0)
    sum += redness(colorAt(image, mean(0), mean(1))) / CHEEKS.length
  }
  return sum
}
