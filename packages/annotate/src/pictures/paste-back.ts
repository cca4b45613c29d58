import ndarray, { type NdArray } from 'ndarray'
import { assertShape } from '@facekit/core'
import { assertPicture, type Picture } from './picture.js'
import { resample } from './resample.js'
import { invertTransform, transformPoint, type SimilarityTransform } from './similarity-transform.js'

/** Draws a crop, or a rendering made for it, back onto the picture that it was cut from: the inverse of `alignFace`.
 *
 * @param picture - the original; it is not changed
 * @param crop - `[S, S, 3]` encoded, 0..1
 * @param transform - pixels of the picture to pixels of the crop, as `alignFace` gives it
 * @param mask - `[S, S]` 0..1, how opaque the crop is; default: all of it covers
 * @returns a new picture of the same size
 * @throws {ShapeError} when a shape differs
 * @example
 * const overlay = pasteBack(picture, rendering, annotation.alignment.transform, annotation.faceRegion)
 */
export function pasteBack(
  picture: Picture,
  crop: NdArray<Float32Array>,
  transform: SimilarityTransform,
  mask?: NdArray<Float32Array>,
): Picture {
  assertPicture('pasteBack: picture', picture)
  const { S } = assertShape('pasteBack: crop', crop, ['S', 'S', 3])
  if (mask) assertShape('pasteBack: mask', mask, [S, S])
  const [height, width] = picture.shape
  const pixels = Uint8Array.from(picture.data)
  const toPicture = invertTransform(transform)
  const corners = [0, 1, 2, 3].map((i) => transformPoint(toPicture, (i % 2) * S, (i >> 1) * S))
  const [xs, ys] = [0, 1].map((axis) => corners.map((corner) => corner[axis]))
  const x = Math.max(0, Math.floor(Math.min(...xs)))
  const y = Math.max(0, Math.floor(Math.min(...ys)))
  const window = {
    x,
    y,
    width: Math.min(width, Math.ceil(Math.max(...xs))) - x,
    height: Math.min(height, Math.ceil(Math.max(...ys))) - y,
  }
  if (window.width > 0 && window.height > 0) {
    const source = { data: premultiplied(crop, S, mask), height: S, width: S, channels: 4 }
    const { data, inside } = resample(source, toPicture, window)
    for (let i = 0; i < inside.length; i++) {
      const at = ((y + Math.floor(i / window.width)) * width + x + (i % window.width)) * 3
      const opacity = inside[i] * data[4 * i + 3]
      for (let c = 0; c < 3; c++) {
        const value = pixels[at + c] * (1 - opacity) + 255 * inside[i] * data[4 * i + c]
        pixels[at + c] = Math.min(255, Math.max(0, Math.round(value)))
      }
    }
  }
  return ndarray(pixels, [height, width, 3])
}

/** Colours times opacity, and opacity: what may be averaged. */
function premultiplied(
  crop: NdArray<Float32Array>,
  size: number,
  mask?: NdArray<Float32Array>,
): Float32Array {
  const data = new Float32Array(size * size * 4)
  for (let y = 0, at = 0; y < size; y++) {
    for (let x = 0; x < size; x++, at += 4) {
      const opacity = mask ? mask.get(y, x) : 1
      for (let c = 0; c < 3; c++) data[at + c] = crop.get(y, x, c) * opacity
      data[at + 3] = opacity
    }
  }
  return data
}
