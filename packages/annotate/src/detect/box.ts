/** A rectangle in a picture. */
export interface Box {
  x: number
  y: number
  width: number
  height: number
}

/** How much two boxes overlap: shared area over that of both together, or over that of the smaller one. */
export function overlapOf(a: Box, b: Box, over: 'union' | 'smaller' = 'union'): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y)
  if (width <= 0 || height <= 0) return 0
  const [first, second] = [a.width * a.height, b.width * b.height]
  const shared = width * height
  return shared / (over === 'union' ? first + second - shared : Math.min(first, second))
}

/** Keeps the best of candidates that overlap, best first (greedy non-maximum suppression). */
export function suppress<T extends { box: Box; score: number }>(
  candidates: readonly T[],
  most: number,
  over: 'union' | 'smaller' = 'union',
): T[] {
  const kept: T[] = []
  for (const candidate of candidates.toSorted((a, b) => b.score - a.score)) {
    if (kept.every(({ box }) => overlapOf(box, candidate.box, over) <= most)) kept.push(candidate)
  }
  return kept
}

/** Moves the sides of a window by what the network says of them, in widths of the window. */
export function moveSides({ x, y, width, height }: Box, sides: ArrayLike<number>): Box {
  const [left, top] = [x + sides[0] * width, y + sides[1] * height]
  return {
    x: left,
    y: top,
    width: x + width + sides[2] * width - left,
    height: y + height + sides[3] * height - top,
  }
}

/** The square with the same centre and the longer side. */
export function squareAround({ x, y, width, height }: Box): Box {
  const side = Math.max(width, height)
  return { x: x + (width - side) / 2, y: y + (height - side) / 2, width: side, height: side }
}
