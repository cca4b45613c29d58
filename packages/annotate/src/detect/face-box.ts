import { AnnotationError, showValue, ValueError } from '@facekit/core'
import type { Box } from './box.js'

/** Checks that a box can hold a face of the picture.
 *
 * @throws {ValueError} when it is not finite or empty
 * @throws {AnnotationError} when it lies outside of the picture
 */
export function checkFaceBox(
  who: string,
  box: Box,
  { width, height }: { width: number; height: number },
): void {
  const { x, y } = box ?? {}
  if (![x, y, box?.width, box?.height].every(Number.isFinite) || box.width <= 0 || box.height <= 0) {
    throw new ValueError(`${who}: box is ${showValue(box)}, expected finite x, y and positive width, height`)
  }
  if (x >= width || y >= height || x + box.width <= 0 || y + box.height <= 0) {
    throw new AnnotationError(
      `${who}: the box ${showValue(box)} lies outside of the picture of ${width} x ${height}; use detectFaces`,
    )
  }
}
