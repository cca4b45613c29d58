import ndarray, { type NdArray } from 'ndarray'
import type { FaceCrop } from '../pictures/align-face.js'
import { blurMask } from '../pictures/blur-mask.js'
import { connectedParts } from './connected-parts.js'
import { faceRegion, innerMouthArea } from './face-region.js'
import type { Points } from '../pictures/similarity-transform.js'

/** Height of the forehead that is sure to hold the whole of it, as in `faceRegion`. */
const FOREHEAD = 1.3
/** How far a face may reach beyond its landmarks, as a share of the crop. */
const MARGIN = 0.045
/** Largest hole that is filled, as a share of the crop: nostrils, moles, highlights. */
const HOLE = 0.004

/** Of all that a segmenter takes for face in a crop, the face that the landmarks are of.
 *
 * Connected parts stay that lie, by half at least, within the landmarks' outline, up to a margin beyond it; small holes are filled; the opening
 * of the mouth as the landmarks have it, and what lies outside of the picture, are taken out.
 *
 * @param face - `[S, S]` 0..1
 * @param landmarks - `[68, 2]` pixels of the crop
 * @returns `[S, S]` 0..1
 * @throws {ShapeError} when the landmarks' shape differs
 */
export function ownFace(
  face: NdArray<Float32Array>,
  { size, inside }: Pick<FaceCrop, 'size' | 'inside'>,
  landmarks: Points,
): NdArray<Float32Array> {
  const flat = (mask: NdArray<Float32Array>) =>
    Float32Array.from({ length: size * size }, (_, i) => mask.get(Math.floor(i / size), i % size))
  const outline = flat(faceRegion(landmarks, { size, forehead: FOREHEAD, innerMouth: true }))
  const opening = flat(innerMouthArea(landmarks, { size }))
  const visible = flat(inside)
  const found = flat(face)
  const reach = dilate(outline, size, Math.max(1, Math.round(MARGIN * size)))
  const result = new Float32Array(size * size)
  const any = Uint8Array.from(found, (value) => Number(value > 0))
  for (const part of connectedParts(any, 1, size)) {
    const within = part.reduce((sum, i) => sum + Math.min(outline[i], found[i]), 0)
    const all = part.reduce((sum, i) => sum + reach[i] * found[i], 0)
    if (within < 0.5 * all) continue
    for (const i of part) result[i] = Math.min(found[i], reach[i])
  }
  fillHoles(result, size)
  for (let i = 0; i < result.length; i++) result[i] = Math.min(result[i], visible[i], 1 - opening[i])
  return ndarray(result, [size, size])
}

/** A mask that is 1 up to some pixels beyond another, and falls off within a few more. */
function dilate(mask: Float32Array, size: number, radius: number): Float32Array {
  const near = blurMask(mask, size, size, radius, 1)
  const edge = Float32Array.from(near, (value) => Number(value > 1e-3))
  return blurMask(edge, size, size, Math.max(1, Math.round(radius / 5)), 1)
}

/** Sets to 1 what is not wholly face but enclosed by what is, where it is small. */
function fillHoles(mask: Float32Array, size: number): void {
  const low = Uint8Array.from(mask, (value) => Number(value < 0.95))
  for (const hole of connectedParts(low, 1, size)) {
    if (hole.length <= HOLE * size * size) for (const i of hole) mask[i] = 1
  }
}
