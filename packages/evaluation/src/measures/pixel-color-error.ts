import { ShapeError, ValueError } from '@facekit/core'

/** How far the colours of two pictures are apart. */
export interface PixelColorError {
  /** Mean absolute difference of the channels, 0..1. */
  mean: number
  /** Its standard deviation over pixels and channels. */
  deviation: number
  /** Pixels that counted. */
  pixels: number
}

/** Mean and standard deviation of the absolute colour difference over a region (the paper's Table 1).
 *
 * @param picture - `[P * 3]` encoded, 0..1
 * @param rendered - as `picture`
 * @param masks - `[P]` each; a pixel counts where all of them exceed 0.5, e.g. the face region and the rendered face
 * @throws {ShapeError} when sizes differ
 * @throws {ValueError} when no pixel counts
 */
export function pixelColorError(
  picture: ArrayLike<number>,
  rendered: ArrayLike<number>,
  ...masks: readonly ArrayLike<number>[]
): PixelColorError {
  const count = picture.length / 3
  if (rendered.length !== picture.length || masks.some((mask) => mask.length !== count))
    throw new ShapeError(
      `pixelColorError: pictures have ${picture.length} and ${rendered.length} numbers, masks ${masks.map((mask) => mask.length).join(', ')}, expected [P * 3] and [P]`,
    )
  let [sum, squares, pixels] = [0, 0, 0]
  for (let i = 0; i < count; i++) {
    if (masks.some((mask) => !(mask[i] > 0.5))) continue
    pixels++
    for (let at = i * 3; at < i * 3 + 3; at++) {
      const difference = Math.abs(picture[at] - rendered[at])
      sum += difference
      squares += difference * difference
    }
  }
  if (pixels === 0) throw new ValueError('pixelColorError: no pixel lies in all of the masks')
  const mean = sum / pixels / 3
  return { mean, deviation: Math.sqrt(Math.max(0, squares / pixels / 3 - mean * mean)), pixels }
}
