import type { Box } from '../detect/box.js'
import { meanLandmarks } from './mean-landmarks.js'
import type { Picture } from '../pictures/picture.js'
import { applyTransform, estimateSimilarity, type Points } from '../pictures/similarity-transform.js'

/** Why landmarks cannot be those of a face in a box, in words, or undefined when they can.
 *
 * The limits are wide: over 3,462 labelled frames, profiles among them, landmarks are at most 33 pixels (root mean square, in
 * a crop of 224) from the mean face's after a similarity; the limit is 45.
 */
export function implausibleLandmarks(landmarks: Points, box: Box, picture: Picture): string | undefined {
  const [height, width] = picture.shape
  const xs = Array.from({ length: 68 }, (_, i) => landmarks.get(i, 0))
  const ys = Array.from({ length: 68 }, (_, i) => landmarks.get(i, 1))
  if (![...xs, ...ys].every(Number.isFinite)) return 'its landmarks are not finite'
  const [left, right] = [Math.min(...xs), Math.max(...xs)]
  const [top, bottom] = [Math.min(...ys), Math.max(...ys)]
  const extent = Math.sqrt((right - left) * (bottom - top))
  const size = Math.sqrt(box.width * box.height)
  if (extent < 4) return `its landmarks span ${extent.toFixed(1)} pixels, too few for a face`
  if (extent < 0.3 * size || extent > 3 * size) {
    return `its landmarks span ${extent.toFixed(0)} pixels, its box ${size.toFixed(0)}`
  }
  const [x, y] = [(left + right) / 2 - box.x, (top + bottom) / 2 - box.y]
  if (x < 0 || y < 0 || x > box.width || y > box.height) return 'its landmarks lie beside its box'
  const visible = xs.filter(
    (value, i) => value >= 0 && value <= width && ys[i] >= 0 && ys[i] <= height,
  ).length
  if (visible < 17) return `${visible} of its 68 landmarks lie in the picture`
  const mean = meanLandmarks()
  const moved = applyTransform(estimateSimilarity(landmarks, mean), landmarks)
  let square = 0
  for (let i = 0; i < 68; i++) {
    square += ((moved.get(i, 0) - mean.get(i, 0)) ** 2 + (moved.get(i, 1) - mean.get(i, 1)) ** 2) / 68
  }
  if (square > 45 ** 2) return 'its landmarks do not form a face'
  return undefined
}

/** Whether two sets of landmarks are of one face, which one of them may have the wrong way up: their centres are closer than 0.4 of the
 * landmarks' mean distance from the centre, and these distances alike. */
export function sameFace(a: Points, b: Points): boolean {
  const [first, second] = [extentOf(a), extentOf(b)]
  const [smaller, larger] = [first.radius, second.radius].toSorted((x, y) => x - y)
  const distance = Math.hypot(first.x - second.x, first.y - second.y)
  return distance < 0.4 * larger && larger < 2 * smaller
}

function extentOf(points: Points): { x: number; y: number; radius: number } {
  const [x, y] = [0, 1].map((axis) => {
    let sum = 0
    for (let i = 0; i < 68; i++) sum += points.get(i, axis) / 68
    return sum
  })
  let radius = 0
  for (let i = 0; i < 68; i++) radius += Math.hypot(points.get(i, 0) - x, points.get(i, 1) - y) / 68
  return { x, y, radius }
}
