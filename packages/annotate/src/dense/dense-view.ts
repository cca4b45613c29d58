import type { Box } from '../detect/box.js'
import type { LandmarkView } from '../landmarks/landmark-view.js'

/** Side of the square that the network sees of a face, in root mean square distances of its points from their mean (depth included, so that it
 * is the same however the head is turned): 224 mm of a mean face, which leaves room for an open mouth. */
export const DENSE_VIEW_SIDE = 3.7
/** How far below the points' mean the square's centre lies, in the same distances. */
export const DENSE_VIEW_DROP = 0.1
/** Among the 68: eyes, and lips, whose means give the direction that is down. */
export const EYES = [36, 47] as const
export const LIPS = [48, 59] as const

/** Side of the square in sides of a detector's box, and how far below the box's centre its centre lies: means over photographs and rendered faces. */
const BOX_SIDE = 1.38
const BOX_DROP = 0.1

/** The upright square around points of a face.
 *
 * @param points - `[N, 3]` x, y and depth in pixels, as in `DenseLandmarks`; the first 68 are those of iBUG
 */
export function denseView(points: ArrayLike<number>, count: number): LandmarkView {
  const mean = (from: number, to: number, axis: number) => {
    let sum = 0
    for (let k = from; k <= to; k++) sum += points[3 * k + axis]
    return sum / (to - from + 1)
  }
  const [x, y, z] = [0, 1, 2].map((axis) => mean(0, count - 1, axis))
  let square = 0
  for (let k = 0; k < count; k++) {
    square += (points[3 * k] - x) ** 2 + (points[3 * k + 1] - y) ** 2 + (points[3 * k + 2] - z) ** 2
  }
  const radius = Math.sqrt(square / count)
  const [dx, dy] = [0, 1].map((axis) => mean(...LIPS, axis) - mean(...EYES, axis))
  const angle = Math.atan2(-dx, dy)
  const drop = DENSE_VIEW_DROP * radius
  return {
    x: x - drop * Math.sin(angle),
    y: y + drop * Math.cos(angle),
    size: DENSE_VIEW_SIDE * radius,
    angle,
    mirrored: false,
  }
}

/** The square around a detector's box, turned by quarter turns, clockwise. */
export function denseBoxView({ x, y, width, height }: Box, quarterTurns = 0): LandmarkView {
  const size = Math.sqrt(width * height)
  const angle = (quarterTurns * Math.PI) / 2
  const drop = BOX_DROP * size
  return {
    x: x + width / 2 - drop * Math.sin(angle),
    y: y + height / 2 + drop * Math.cos(angle),
    size: BOX_SIDE * size,
    angle,
    mirrored: false,
  }
}
