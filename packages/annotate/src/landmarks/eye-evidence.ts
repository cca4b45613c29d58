import type { NdArray } from 'ndarray'
import type { EyeFrame } from './eye-frame.js'
import { brightness, colorAt } from './mouth-profile.js'

/** What the pixels of an eye say about its lids. */
export interface EyeEvidence {
  /** Brightness of the upper part of what lies between the lids' landmarks, over that of the skin below the eye: a lid is about as bright as
   * skin, lashes and iris are darker. */
  lid: number
  /** How far the middle of what is dark lies below the corners, in widths: lashes of a shut eye lie low. */
  seam: number
  /** How much darker than the brightest row the darkest one is, 0..1: even of shut eyes lashes are seen where anything is. */
  depth: number
}

/** Rows of the profile down the middle of an eye: from so far above the corners to so far below, in widths, and their distance. */
const [ABOVE, BELOW, STEP] = [0.36, 0.46, 0.055]
/** Columns of the middle, and of both sides, in widths. */
const MIDDLE = [-0.1375, -0.0825, -0.0275, 0.0275, 0.0825, 0.1375]
const SIDES = [-0.47, -0.41, -0.36, 0.36, 0.41, 0.47]
/** Where there is skin below the eye, in widths. */
const SKIN = 0.45

/** Looks down the middle of an eye. */
export function eyeEvidence(image: NdArray<Float32Array>, frame: EyeFrame): EyeEvidence {
  const row = (v: number, columns: readonly number[]) => {
    let sum = 0
    for (const u of columns) sum += brightness(sample(image, frame, u, v))
    return sum / columns.length
  }
  const skin = (row(SKIN, MIDDLE) + row(SKIN, SIDES)) / 2
  let lid = 0
  for (const share of [1 / 8, 2 / 8, 3 / 8]) {
    lid += row(frame.upper + share * (frame.lower - frame.upper), MIDDLE) / 3
  }
  const heights = Array.from({ length: Math.floor((ABOVE + BELOW) / STEP) }, (_, i) => i * STEP - ABOVE)
  const profile = heights.map((v) => row(v, MIDDLE))
  const [brightest, darkest] = [Math.max(...profile), Math.min(...profile)]
  const half = (brightest + darkest) / 2
  let [dark, moment] = [1e-6, 0]
  for (const [i, value] of profile.entries()) {
    dark += Math.max(0, half - value)
    moment += Math.max(0, half - value) * heights[i]
  }
  return {
    lid: (lid + 0.02) / (skin + 0.02),
    seam: moment / dark,
    depth: 1 - (darkest + 0.02) / (brightest + 0.02),
  }
}

function sample(
  image: NdArray<Float32Array>,
  { width, middle, along, down }: EyeFrame,
  u: number,
  v: number,
) {
  return colorAt(
    image,
    middle[0] + width * (u * along[0] + v * down[0]),
    middle[1] + width * (u * along[1] + v * down[1]),
  )
}
