/** Rises smoothly from 0 to 1 over a range. */
export function smoothstep(range: readonly [number, number], value: number): number {
  // Taken apart by hand: this runs for every texel.
  const from = range[0]
  const t = Math.min(Math.max((value - from) / (range[1] - from), 0), 1)
  return t * t * (3 - 2 * t)
}

/** The number at a share of the way from one end of a range to the other. */
export const between = ([from, to]: readonly [number, number], share: number): number =>
  from + share * (to - from)
