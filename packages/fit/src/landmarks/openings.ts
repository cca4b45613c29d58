import type { PointView } from './project-points.js'

/** How far lids or lips were seen apart: a ratio of lengths, which is right where all of an eye was seen too high or too large. */
export interface Opening {
  /** Points of the corners, from the left of the picture to the right. */
  corners: readonly [number, number]
  /** Points of the upper and the lower edge. */
  pairs: readonly (readonly [number, number])[]
  /** Mean distance of the pairs, downwards across the line of the corners, over the distance of the corners. */
  ratio: number
  /** Standard deviation of `ratio`. */
  deviation: number
}

/** How far points are apart in the picture, see `Opening.ratio`.
 *
 * @param seen - `[N * numbers]` pixels
 */
export function openingOf(
  seen: ArrayLike<number>,
  { corners: [a, b], pairs }: Pick<Opening, 'corners' | 'pairs'>,
  numbers: number,
): number {
  const across = between(seen, a, b, numbers)
  let sum = 0
  for (const [upper, lower] of pairs) sum += cross(across, between(seen, upper, lower, numbers))
  return sum / pairs.length / (across[0] ** 2 + across[1] ** 2)
}

/** `[M]` residuals in standard deviations. */
export function openingResiduals(
  seen: Float64Array,
  openings: readonly Opening[],
  { numbers }: PointView,
): Float64Array {
  return Float64Array.from(
    openings,
    (opening) => (openingOf(seen, opening, numbers) - opening.ratio) / opening.deviation,
  )
}

/** `[M * n]` derivatives of the residuals.
 *
 * @param jacobian - `[N * numbers * n]` of the points, pixels
 */
export function openingRows(
  seen: Float64Array,
  jacobian: Float64Array,
  openings: readonly Opening[],
  { numbers }: PointView,
  n: number,
): Float64Array {
  const rows = new Float64Array(openings.length * n)
  for (const [m, opening] of openings.entries()) {
    const { corners, pairs, deviation } = opening
    const across = between(seen, ...corners, numbers)
    const squared = across[0] ** 2 + across[1] ** 2
    const ratio = openingOf(seen, opening, numbers)
    const gain = 1 / (squared * deviation)
    const add = (point: number, axis: 0 | 1, factor: number) => {
      const from = (point * numbers + axis) * n
      for (let k = 0; k < n; k++) rows[m * n + k] += factor * gain * jacobian[from + k]
    }
    /** Adds what follows from a change of `to - from` along both axes. */
    const move = (from: number, to: number, x: number, y: number) => {
      add(to, 0, x)
      add(to, 1, y)
      add(from, 0, -x)
      add(from, 1, -y)
    }
    // ratio = across x opening / |across|^2
    for (const [upper, lower] of pairs) {
      const opened = between(seen, upper, lower, numbers)
      const share = 1 / pairs.length
      move(upper, lower, -across[1] * share, across[0] * share)
      move(corners[0], corners[1], opened[1] * share, -opened[0] * share)
    }
    move(corners[0], corners[1], -2 * ratio * across[0], -2 * ratio * across[1])
  }
  return rows
}

const between = (seen: ArrayLike<number>, from: number, to: number, numbers: number) =>
  [0, 1].map((axis) => seen[to * numbers + axis] - seen[from * numbers + axis]) as [number, number]

const cross = (a: readonly [number, number], b: readonly [number, number]) => a[0] * b[1] - a[1] * b[0]
