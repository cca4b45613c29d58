/** Point or direction: x to the right of the picture, y up, z out of the face; mm. */
export type Vec3 = readonly [number, number, number]

/** `a + sum_i share_i * direction_i`. */
export const along = (a: Vec3, ...steps: readonly (readonly [share: number, direction: Vec3])[]): Vec3 =>
  [0, 1, 2].map((c) =>
    steps.reduce((sum, [share, direction]) => sum + share * direction[c], a[c]),
  ) as never as Vec3

/** Between two points, or numbers. */
export const mix = (a: Vec3, b: Vec3, share: number): Vec3 =>
  [0, 1, 2].map((c) => (1 - share) * a[c] + share * b[c]) as never as Vec3
export const lerp = (a: number, b: number, share: number): number => (1 - share) * a + share * b

/** A piecewise linear function, constant beyond its ends. @param knots - x ascending */
export function piecewise(knots: readonly (readonly [x: number, y: number])[], x: number): number {
  const next = knots.findIndex((knot) => knot[0] >= x)
  if (next === 0) return knots[0][1]
  if (next < 0) return knots.at(-1)![1]
  const [[x0, y0], [x1, y1]] = [knots[next - 1], knots[next]]
  return lerp(y0, y1, (x - x0) / (x1 - x0))
}

/** 0 below `from`, 1 above `to`, without a bend between. */
export function smoothstep(from: number, to: number, x: number): number {
  const t = Math.min(1, Math.max(0, (x - from) / (to - from)))
  return t * t * (3 - 2 * t)
}
