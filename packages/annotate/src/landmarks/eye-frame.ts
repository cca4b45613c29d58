import type { Points } from '../pictures/similarity-transform.js'

/** The subject's eyes. */
export type EyeSide = 'right' | 'left'

/** Landmarks of an eye: the corner on the left of the picture, the upper lid, the other corner, the lower lid from there. */
export const eyeLandmarks = { right: [36, 37, 38, 39, 40, 41], left: [42, 43, 44, 45, 46, 47] } as const

/** A coordinate system of an eye, in pixels. */
export interface EyeFrame {
  /** Distance of the corners. */
  width: number
  /** Between the corners. */
  middle: readonly [number, number]
  /** Unit vectors: from the corner on the left of the picture to the other one, and from the upper lid to the lower. */
  along: readonly [number, number]
  down: readonly [number, number]
  /** How far the upper and the lower lid are below the middle, in widths. */
  upper: number
  lower: number
}

/** The frame of an eye; none when its corners coincide. */
export function eyeFrame(landmarks: Points, side: EyeSide): EyeFrame | undefined {
  const [a, u1, u2, b, l2, l1] = eyeLandmarks[side]
  const [ax, ay] = [landmarks.get(a, 0), landmarks.get(a, 1)]
  const [bx, by] = [landmarks.get(b, 0), landmarks.get(b, 1)]
  const width = Math.hypot(bx - ax, by - ay)
  if (!(width > 1)) return undefined
  const along = [(bx - ax) / width, (by - ay) / width] as const
  const down = [-along[1], along[0]] as const
  const middle = [(ax + bx) / 2, (ay + by) / 2] as const
  const below = (i: number) =>
    ((landmarks.get(i, 0) - middle[0]) * down[0] + (landmarks.get(i, 1) - middle[1]) * down[1]) / width
  return {
    width,
    middle,
    along,
    down,
    upper: (below(u1) + below(u2)) / 2,
    lower: (below(l1) + below(l2)) / 2,
  }
}
