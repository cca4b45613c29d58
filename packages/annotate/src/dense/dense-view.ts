import type { Box } from '../detect/box.js'
import type { LandmarkView } from '../landmarks/landmark-view.js'
import type { Points } from '../pictures/similarity-transform.js'

/** Side of the square that the network sees of a face, in root mean square distances of its points from their mean (depth included, so that it
 * is the same however the head is turned): 224 mm of a mean face, which leaves room for an open mouth. */
export const DENSE_VIEW_SIDE = 3.7
/** How far below the points' mean the square's centre lies, in the same distances. */
export const DENSE_VIEW_DROP = 0.1
/** Among the 68: eyes, and lips, whose means give the direction that is down. */
export const EYES = [36, 47] as const
export const LIPS = [48, 59] as const

/** Tip of the nose, and chin. */
const NOSE = 30
const CHIN = 8

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

// Contributor notes. Least squares over 55 photographs: the centre comes out within 0.006 sides across and 0.010 down, the side within 3 %, as
// near as after a first pass of the network. In profile the nose tells how far the middle of the points lies from the middle of the eyes.
/** The square around the 68 landmarks in distances from the eyes' middle to the lips': its centre below the eyes; how far it lies across for the nose's tip. */
const DOWN = 0.51
const ACROSS = -0.32
/** Its side, for the tip of the nose across, the width of the landmarks and the chin below the eyes. */
const SIDE = { constant: 0.23, nose: 0.2, width: 0.75, chin: 0.8 } as const

/** The upright square around a face whose 68 landmarks are known, without their depths: about that of `denseView`. */
export function denseViewOfLandmarks(points: Points): LandmarkView {
  const mean = (from: number, to: number, axis: number) => {
    let sum = 0
    for (let k = from; k <= to; k++) sum += points.get(k, axis)
    return sum / (to - from + 1)
  }
  const [x, y] = [0, 1].map((axis) => mean(...EYES, axis))
  const [dx, dy] = [mean(...LIPS, 0) - x, mean(...LIPS, 1) - y]
  const unit = Math.hypot(dx, dy)
  const angle = Math.atan2(-dx, dy)
  const [c, s] = [Math.cos(angle), Math.sin(angle)]
  /** Along the rows and the columns of the square. */
  const place = (k: number): [number, number] => {
    const [u, v] = [points.get(k, 0) - x, points.get(k, 1) - y]
    return [(c * u + s * v) / unit, (c * v - s * u) / unit]
  }
  const rows = Array.from({ length: 68 }, (_, k) => place(k)[0])
  const nose = place(NOSE)[0]
  const across = ACROSS * nose * unit
  const down = DOWN * unit
  const width = Math.max(...rows) - Math.min(...rows)
  const side = SIDE.constant + SIDE.nose * Math.abs(nose) + SIDE.width * width + SIDE.chin * place(CHIN)[1]
  return {
    x: x + c * across - s * down,
    y: y + s * across + c * down,
    size: side * unit,
    angle,
    mirrored: false,
  }
}

/** Whether two squares are as near as those that the network learned to be near: another look would show the same. */
export function sameView(a: LandmarkView, b: LandmarkView): boolean {
  const shift = Math.hypot(a.x - b.x, a.y - b.y) / a.size
  const turn = Math.abs(Math.atan2(Math.sin(a.angle - b.angle), Math.cos(a.angle - b.angle)))
  return shift < NEAR.shift && Math.abs(Math.log(a.size / b.size)) < NEAR.scale && turn < NEAR.turn
}

/** In sides, of the logarithm, in radians. */
const NEAR = { shift: 0.03, scale: 0.07, turn: 0.1 }

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
