import { mirroredLandmarks } from '@facekit/annotate'
import { assertInRange, type Random } from '@facekit/core'

/** How far samples are changed at random. Each is changed alike in all its parts: a moved crop has moved masks and landmarks. */
export interface AugmentOptions {
  /** Probability of a mirror image. Default 0.5. */
  flip?: number
  /** Largest turn, radians. Default 0.15. */
  rotation?: number
  /** Largest change of scale: 0.1 is from 1/1.1 to 1.1. Default 0.1. */
  scale?: number
  /** Largest shift, as a share of the crop. Default 0.04. */
  shift?: number
  /** Largest change of brightness, encoded 0..1. Default 0.1. */
  brightness?: number
  /** Largest change of contrast and of saturation, as `scale`. Default 0.2. */
  contrast?: number
  saturation?: number
  /** Largest change of one colour channel against the others, as `scale`. Default 0.05. */
  tint?: number
}

/** How one sample is changed. */
export interface Augmentation {
  flip: boolean
  rotation: number
  scale: number
  /** Shares of the crop. */
  shift: [number, number]
  /** Added after contrast and tint, encoded. */
  brightness: number
  contrast: number
  saturation: number
  tint: [number, number, number]
}

const DEFAULTS: Required<AugmentOptions> = {
  flip: 0.5,
  rotation: 0.15,
  scale: 0.1,
  shift: 0.04,
  brightness: 0.1,
  contrast: 0.2,
  saturation: 0.2,
  tint: 0.05,
}

/** The options with what is not given filled in; nothing when nothing is to be changed.
 *
 * @throws {ValueError} when one is out of range
 */
export function augmentSettings(augment: boolean | AugmentOptions): Required<AugmentOptions> | undefined {
  if (augment === false) return undefined
  const settings = { ...DEFAULTS, ...(augment === true ? {} : augment) }
  assertInRange('augment: flip', settings.flip, 0, 1)
  assertInRange('augment: rotation', settings.rotation, 0, Math.PI)
  assertInRange('augment: shift', settings.shift, 0, 1)
  assertInRange('augment: brightness', settings.brightness, 0, 1)
  for (const name of ['scale', 'contrast', 'saturation', 'tint'] as const) {
    assertInRange(`augment: ${name}`, settings[name], 0, 10)
  }
  return settings
}

/** A change that changes nothing. */
export const noAugmentation: Augmentation = {
  flip: false,
  rotation: 0,
  scale: 1,
  shift: [0, 0],
  brightness: 0,
  contrast: 1,
  saturation: 1,
  tint: [1, 1, 1],
}

/** Samples the change of one face. */
export function sampleAugmentation(random: Random, settings: Required<AugmentOptions>): Augmentation {
  const around = (most: number) => random.uniform(-most, most)
  const factor = (most: number) => (1 + most) ** random.uniform(-1, 1)
  return {
    flip: random.uniform() < settings.flip,
    rotation: around(settings.rotation),
    scale: factor(settings.scale),
    shift: [around(settings.shift), around(settings.shift)],
    brightness: around(settings.brightness),
    contrast: factor(settings.contrast),
    saturation: factor(settings.saturation),
    tint: [factor(settings.tint), factor(settings.tint), factor(settings.tint)],
  }
}

/** The 2 x 3 matrix, row by row, that takes pixels of a crop of one size to those of a changed one of another: turned and scaled about
 * the middle, shifted, then mirrored. Pixel centres at +0.5. */
export function augmentationMatrix(
  { flip, rotation, scale, shift }: Augmentation,
  from: number,
  to: number,
): [number, number, number, number, number, number] {
  const factor = (scale * to) / from
  const c = factor * Math.cos(rotation)
  const s = factor * Math.sin(rotation)
  const middle = from / 2
  const x = to / 2 + shift[0] * to - c * middle + s * middle
  const y = to / 2 + shift[1] * to - s * middle - c * middle
  return flip ? [-c, s, to - x, s, c, y] : [c, -s, x, s, c, y]
}

/** Moves landmarks with their crop; in a mirror image a right eye is a left one.
 *
 * @param landmarks - `[68 * 2]`
 */
export function moveLandmarks(
  landmarks: Float32Array,
  [a, b, c, d, e, f]: readonly number[],
  flip: boolean,
): Float32Array {
  const moved = new Float32Array(136)
  for (let i = 0; i < 68; i++) {
    const k = flip ? mirroredLandmarks[i] : i
    const [x, y] = [landmarks[2 * k], landmarks[2 * k + 1]]
    moved[2 * i] = a * x + b * y + c
    moved[2 * i + 1] = d * x + e * y + f
  }
  return moved
}
