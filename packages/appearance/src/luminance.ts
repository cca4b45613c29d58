/** Luminance of the linear RGB at a place of an array (IEC 61966-2-1). */
export function luminance(colors: ArrayLike<number>, at: number): number {
  return 0.2126 * colors[at] + 0.7152 * colors[at + 1] + 0.0722 * colors[at + 2]
}
