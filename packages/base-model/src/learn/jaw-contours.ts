/** Millimetres on the face for the width of the texture, roughly. */
const UV_SCALE = 190
/** Step along a contour and its length, in widths of the texture. */
const STEP = 0.006
const LENGTH = 0.2

/** What contours are found on. */
export interface ContourMesh {
  /** `[N * 3]` mm */
  mean: ArrayLike<number>
  /** `[N * 2]` */
  uv: ArrayLike<number>
  /** First vertex after the skin. */
  skinEnd: number
}

/** Vertices that can be the visible contour at each of the 17 jaw landmarks, from the rim inwards: along the row at the
 * landmark's height for the sides, upwards for the chin. */
export function jawContours({ mean, uv, skinEnd }: ContourMesh, jaw: readonly number[]): number[][] {
  return jaw.map((landmark, k) => {
    // Straight inwards down to the corner of the jaw, then turning until it is straight up at the chin.
    const turn = (Math.PI / 2) * Math.sign(8 - k) * [0, 0.2, 0.45, 0.75, 1][Math.min(Math.abs(8 - k), 4)]
    const direction = [Math.sin(turn), Math.cos(turn)]
    const length = Math.hypot(...direction)
    const list: number[] = [landmark]
    for (let along = STEP; along < LENGTH; along += STEP) {
      const [u, y] = [
        uv[landmark * 2] + (direction[0] / length) * along,
        mean[landmark * 3 + 1] + (direction[1] / length) * along * UV_SCALE,
      ]
      let best: number = landmark
      let bestDistance = Infinity
      for (let i = 0; i < skinEnd; i++) {
        const distance = Math.hypot((uv[i * 2] - u) * UV_SCALE, mean[i * 3 + 1] - y)
        if (distance < bestDistance) {
          best = i
          bestDistance = distance
        }
      }
      if (!list.includes(best)) list.push(best)
    }
    return list
  })
}
