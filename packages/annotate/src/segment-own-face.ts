import ndarray, { type NdArray } from 'ndarray'
import type { FaceCrop } from './align-face.js'
import { connectedParts } from './connected-parts.js'
import { faceRegion, innerMouthArea } from './face-region.js'
import type { Points } from './similarity-transform.js'

/** Height of the forehead that is sure to hold the whole of it, as in `faceRegion`. */
const FOREHEAD = 1.3

/** Of all that a segmenter takes for face in a crop, the face that the landmarks are of: connected parts that lie, by half at least, within
 * their outline; without the opening of the mouth as the landmarks have it, and without what lies outside of the picture.
 *
 * @param face - `[S, S]` 0..1
 * @returns `[S, S]` 0..1, nowhere above `face`
 */
export function ownFace(
  face: NdArray<Float32Array>,
  { size, inside }: Pick<FaceCrop, 'size' | 'inside'>,
  landmarks: Points,
): NdArray<Float32Array> {
  const at = (mask: NdArray<Float32Array>, i: number) => mask.get(Math.floor(i / size), i % size)
  const outline = faceRegion(landmarks, { size, forehead: FOREHEAD })
  const opening = innerMouthArea(landmarks, { size })
  const any = Uint8Array.from({ length: size * size }, (_, i) => Number(at(face, i) > 0))
  const result = new Float32Array(size * size)
  for (const part of connectedParts(any, 1, size)) {
    const within = part.reduce((sum, i) => sum + at(outline, i) * at(face, i), 0)
    const all = part.reduce((sum, i) => sum + at(face, i), 0)
    if (within < 0.5 * all) continue
    for (const i of part) result[i] = Math.min(at(face, i), at(inside, i), 1 - at(opening, i))
  }
  return ndarray(result, [size, size])
}
