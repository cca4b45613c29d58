import ndarray, { type NdArray } from 'ndarray'
import { assertShape } from '@facekit/core'
import type { FaceCrop } from './align-face.js'
import { faceRegion, innerMouthArea } from './face-region.js'
import { refineFaceRegion } from './refine-face-region.js'
import { ownFace } from './segment-own-face.js'
import { segment } from './segment.js'
import type { Points } from './similarity-transform.js'
import { skinProbability } from './skin-probability.js'

type Mask = NdArray<Float32Array>

/** How the masks of a face are made. */
export interface LabelMasksOptions {
  /** Gives the face region, `[S, S]` 0..1. `'network'`: the segmenter that comes with the package, see `segment`; `'landmarks'` (the default): an
   * outline from the landmarks (`faceRegion`), less what evidently is no skin (`refineFaceRegion`). */
  segmenter?: 'network' | 'landmarks' | ((crop: FaceCrop, landmarks: Points) => Mask | Promise<Mask>)
  /** Gives the skin probability, `[S, S]` 0..1. Default `skinProbability`. */
  skin?: (image: Mask, landmarks: Points, faceRegion: Mask) => Mask | Promise<Mask>
}

/** The masks of `FaceAnnotation`, `[S, S]` 0..1 each.
 *
 * @throws {ShapeError} when a replaced stage gives a wrong shape
 */
export async function labelMasks(
  crop: FaceCrop,
  landmarks: Points,
  options: LabelMasksOptions,
): Promise<{ faceRegion: Mask; innerMouth: Mask; skinProbability: Mask }> {
  const { segmenter = 'landmarks', skin = defaultSkin } = options
  const { size, image, inside } = crop
  let region = await segmentWith(segmenter, crop, landmarks)
  assertShape('annotate: faceRegion', region, [size, size])
  let probability = await skin(image, landmarks, region)
  assertShape('annotate: skinProbability', probability, [size, size])
  if (segmenter === 'landmarks') region = refineFaceRegion(region, probability, image, landmarks)
  if (typeof segmenter === 'string') probability = smaller(probability, region)
  return {
    faceRegion: region,
    innerMouth: smaller(innerMouthArea(landmarks, { size }), inside),
    skinProbability: probability,
  }
}

async function segmentWith(
  segmenter: NonNullable<LabelMasksOptions['segmenter']>,
  crop: FaceCrop,
  landmarks: Points,
): Promise<Mask> {
  if (typeof segmenter === 'function') return segmenter(crop, landmarks)
  if (segmenter === 'landmarks') return faceRegion(landmarks, { size: crop.size, inside: crop.inside })
  const { faceRegion: face } = await segment(crop)
  return ownFace(face, crop, landmarks)
}

const defaultSkin: NonNullable<LabelMasksOptions['skin']> = (image, landmarks, region) =>
  skinProbability(image, landmarks, { faceRegion: region })

/** The smaller of two masks, pixel by pixel. */
function smaller(a: Mask, b: Mask): Mask {
  const [height, width] = a.shape
  const result = ndarray(new Float32Array(height * width), [height, width])
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) result.set(y, x, Math.min(a.get(y, x), b.get(y, x)))
  }
  return result
}
