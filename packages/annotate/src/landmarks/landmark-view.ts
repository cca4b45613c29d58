import type { Box } from '../detect/box.js'
import type { Points } from '../pictures/similarity-transform.js'

/** Number of landmarks. */
export const landmarkCount = 68

/** A square of a picture, perhaps turned, that the network sees. */
export interface LandmarkView {
  /** Centre in pixels of the picture. */
  x: number
  y: number
  /** Side in pixels of the picture. */
  size: number
  /** Radians; the direction of the view's rows in the picture. */
  angle: number
  /** Whether the network sees its mirror image. */
  mirrored: boolean
}

/** The square around a box, turned by quarter turns, clockwise. */
export function boxView({ x, y, width, height }: Box, quarterTurns = 0): LandmarkView {
  const size = Math.max(width, height)
  return { x: x + width / 2, y: y + height / 2, size, angle: (quarterTurns * Math.PI) / 2, mirrored: false }
}

/** The same view with its side times a factor. */
export const scaledView = (view: LandmarkView, factor: number): LandmarkView => ({
  ...view,
  size: view.size * factor,
})

/** The smallest square around landmarks that has the line through the eyes' centres level. */
export function landmarksView(points: Points): LandmarkView {
  const center = (first: number, axis: number) => {
    let sum = 0
    for (let k = first; k < first + 6; k++) sum += points.get(k, axis)
    return sum / 6
  }
  const angle = Math.atan2(center(42, 1) - center(36, 1), center(42, 0) - center(36, 0))
  const c = Math.cos(angle)
  const s = Math.sin(angle)
  const bounds = [Infinity, Infinity, -Infinity, -Infinity]
  for (let k = 0; k < landmarkCount; k++) {
    const along = c * points.get(k, 0) + s * points.get(k, 1)
    const across = c * points.get(k, 1) - s * points.get(k, 0)
    bounds[0] = Math.min(bounds[0], along)
    bounds[1] = Math.min(bounds[1], across)
    bounds[2] = Math.max(bounds[2], along)
    bounds[3] = Math.max(bounds[3], across)
  }
  const along = (bounds[0] + bounds[2]) / 2
  const across = (bounds[1] + bounds[3]) / 2
  return {
    x: c * along - s * across,
    y: s * along + c * across,
    size: Math.max(bounds[2] - bounds[0], bounds[3] - bounds[1]),
    angle,
    mirrored: false,
  }
}
