/** Rises smoothly from 0 to 1 over a range. */
export function smoothstep([from, to]: readonly [number, number], value: number): number {
  const t = Math.min(Math.max((value - from) / (to - from), 0), 1)
  return t * t * (3 - 2 * t)
}

/** The number at a share of the way from one end of a range to the other. */
export const between = ([from, to]: readonly [number, number], share: number): number =>
  from + share * (to - from)
