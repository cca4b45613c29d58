import { faceLabels, labelOf } from '@facekit/core'
import ndarray, { type NdArray } from 'ndarray'
import { faceClasses } from './face-classes.js'

/** What the pixels of an aligned crop show. Plain data. */
export interface FaceSegmentation {
  /** `[S, S]` the likeliest of the 19 classes of CelebAMask-HQ, see `faceLabels`. */
  classes: NdArray<Uint8Array>
  /** `[S, S]` 0..1: skin, nose, eyes, brows and lips, as `FaceAnnotation.faceRegion` means it; soft at the border. */
  faceRegion: NdArray<Float32Array>
  /** `[S, S]` 0..1: the opening of the mouth. */
  innerMouth: NdArray<Float32Array>
}

const COUNT = faceLabels.length
const FACE = faceClasses.map(labelOf)
const MOUTH = labelOf('mouth')

/** Labels and masks from probabilities of the 19 classes.
 *
 * A mask is 2 p - 1/2, held within 0 and 1: pixels that are more than 3/4 certain count wholly, those of less than 1/4 not at all.
 *
 * @param probabilities - `[S, S, 19]`
 */
export function faceSegmentation(probabilities: Float32Array, size: number): FaceSegmentation {
  const classes = new Uint8Array(size * size)
  const face = new Float32Array(size * size)
  const mouth = new Float32Array(size * size)
  for (let i = 0; i < classes.length; i++) {
    const at = i * COUNT
    let best = 0
    for (let c = 1; c < COUNT; c++) if (probabilities[at + c] > probabilities[at + best]) best = c
    classes[i] = best
    let sum = 0
    for (const c of FACE) sum += probabilities[at + c]
    face[i] = ramp(sum)
    mouth[i] = ramp(probabilities[at + MOUTH])
  }
  return {
    classes: ndarray(classes, [size, size]),
    faceRegion: ndarray(face, [size, size]),
    innerMouth: ndarray(mouth, [size, size]),
  }
}

const ramp = (probability: number) => Math.min(1, Math.max(0, 2 * probability - 0.5))
