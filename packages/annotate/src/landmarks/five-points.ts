import ndarray from 'ndarray'
import type { Points } from '../pictures/similarity-transform.js'

/** Where the five points of the mean face, under the default camera, lie in the crop of 224 x 224 pixels: eye centres,
 * nose tip, mouth corners, the subject's right first. */
export const fivePointTemplate = (): Points =>
  ndarray(new Float32Array([78.5, 85, 145.5, 85, 112, 124, 86, 158, 138, 158]), [5, 2])

/** Five points out of 68 landmarks: eye centres, nose tip, mouth corners, the subject's right first.
 *
 * @param landmarks - `[68, 2]`
 * @returns `[5, 2]`
 */
export function fivePoints(landmarks: Points): Points {
  const points = ndarray(new Float32Array(10), [5, 2])
  for (let axis = 0; axis < 2; axis++) {
    const mean = (first: number, last: number) => {
      let sum = 0
      for (let i = first; i <= last; i++) sum += landmarks.get(i, axis)
      return sum / (last - first + 1)
    }
    points.set(0, axis, mean(36, 41))
    points.set(1, axis, mean(42, 47))
    points.set(2, axis, landmarks.get(30, axis))
    points.set(3, axis, landmarks.get(48, axis))
    points.set(4, axis, landmarks.get(54, axis))
  }
  return points
}
