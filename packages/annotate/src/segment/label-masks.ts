import ndarray, { type NdArray } from 'ndarray'
import { assertShape } from '@facekit/core'
import type { FaceCrop } from '../pictures/align-face.js'
import { faceRegion, innerMouthArea } from './face-region.js'
import { refineFaceRegion } from './refine-face-region.js'
import { ownFace } from './segment-own-face.js'
import { segment } from './segment.js'
import type { Points } from '../pictures/similarity-transform.js'
import { skinProbability } from '../skin/skin-probability.js'

type Mask = NdArray<Float32Array>

/** How the masks of a face are made. */
export interface LabelMasksOptions {
  /** Gives the face region, `[S, S]` 0..1. `'landmarks'` (the default): an outline from the landmarks (`faceRegion`), less what evidently is no
   * skin (`refineFaceRegion`). `'network'`: the segmenter that comes with the package, see `segment`, of which the part that the landmarks are
   * of counts; where it finds less than 0.72 of the other way's region, that. */
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
  const masks =
    segmenter === 'network'
      ? await networkMasks(crop, landmarks, skin)
      : segmenter === 'landmarks'
        ? await landmarkMasks(crop, landmarks, skin)
        : await skinWithin(await segmenter(crop, landmarks), image, landmarks, skin)
  return { ...masks, innerMouth: smaller(innerMouthArea(landmarks, { size }), inside) }
}

type Skin = NonNullable<LabelMasksOptions['skin']>

interface FaceMasks {
  faceRegion: Mask
  skinProbability: Mask
}

/** The region that is given, and the skin in it. */
async function skinWithin(region: Mask, image: Mask, landmarks: Points, skin: Skin): Promise<FaceMasks> {
  const size = image.shape[0]
  assertShape('annotate: faceRegion', region, [size, size])
  const probability = await skin(image, landmarks, region)
  assertShape('annotate: skinProbability', probability, [size, size])
  return { faceRegion: region, skinProbability: probability }
}

/** Outline, less what is no skin by its colour. */
async function landmarkMasks(crop: FaceCrop, landmarks: Points, skin: Skin): Promise<FaceMasks> {
  const { size, image, inside } = crop
  const outline = faceRegion(landmarks, { size, inside })
  const { skinProbability: probability } = await skinWithin(outline, image, landmarks, skin)
  const region = refineFaceRegion(outline, probability, image, landmarks)
  return { faceRegion: region, skinProbability: smaller(probability, region) }
}

/** Share of the face that the network must find, or it is not believed: faces under blue light, and the like. */
const LEAST = 0.72

/** What the network takes for face. Where that is little of the outline, and of what has the colour of skin in it, the latter counts. */
async function networkMasks(crop: FaceCrop, landmarks: Points, skin: Skin): Promise<FaceMasks> {
  const { size, image, inside } = crop
  const { faceRegion: face } = await segment(crop)
  const region = ownFace(face, crop, landmarks)
  if (!covers(region, faceRegion(landmarks, { size, inside }))) {
    const masks = await landmarkMasks(crop, landmarks, skin)
    if (!covers(region, masks.faceRegion)) return masks
  }
  const masks = await skinWithin(region, image, landmarks, skin)
  return { ...masks, skinProbability: smaller(masks.skinProbability, region) }
}

function covers(region: Mask, wanted: Mask): boolean {
  const sum = (mask: Mask) => (mask.data as Float32Array).reduce((total, value) => total + value, 0)
  return sum(smaller(region, wanted)) >= LEAST * sum(wanted)
}

const defaultSkin: Skin = (image, landmarks, region) =>
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
