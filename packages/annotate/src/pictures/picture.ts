import type { NdArray } from 'ndarray'
import { ShapeError } from '@facekit/core'

/** A picture on the CPU: `[H, W, 3]` sRGB, 0..255, upright, opaque; row by row from the top left. */
export type Picture = NdArray<Uint8Array>

/** Checks that an array is a picture as `readPicture` makes it, with its pixels in one block.
 *
 * @throws {ShapeError} when it is not `[H, W, 3]` of bytes, or is a view with gaps
 */
export function assertPicture(who: string, picture: Picture): void {
  const shape = picture?.shape
  if (!Array.isArray(shape) || shape.length !== 3 || shape[2] !== 3 || !(shape[0] > 0) || !(shape[1] > 0)) {
    const actual = Array.isArray(shape) ? `[${shape.join(', ')}]` : typeof picture
    throw new ShapeError(`${who} is ${actual}, expected a picture [H, W, 3]; use readPicture`)
  }
  const [height, width] = shape
  const { data, stride, offset } = picture
  const isBytes = ArrayBuffer.isView(data) && data.BYTES_PER_ELEMENT === 1
  if (!isBytes || stride[2] !== 1 || stride[1] !== 3 || stride[0] !== width * 3 || offset !== 0) {
    throw new ShapeError(
      `${who} is a view or not made of bytes, expected one block of ${height * width * 3} bytes; copy it first`,
    )
  }
}
