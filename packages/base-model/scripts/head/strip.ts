/** Triangles between two closed lines that run side by side: at each step the shorter of the two diagonals.
 *
 * @param outer - runs with the surface on its left when seen from the strip's other side
 */
export function strip(
  positions: ArrayLike<number>,
  outer: readonly number[],
  inner: readonly number[],
): number[] {
  const distance = (a: number, b: number) =>
    Math.hypot(...[0, 1, 2].map((c) => positions[3 * a + c] - positions[3 * b + c]))
  let first = 0
  for (let i = 1; i < inner.length; i++)
    if (distance(outer[0], inner[i]) < distance(outer[0], inner[first])) first = i
  const other = [...inner.slice(first), ...inner.slice(0, first)]
  const triangles: number[] = []
  let [i, j] = [0, 0]
  while (i < outer.length || j < other.length) {
    const [a, b] = [outer[i % outer.length], other[j % other.length]]
    const [nextA, nextB] = [outer[(i + 1) % outer.length], other[(j + 1) % other.length]]
    const along = j >= other.length || (i < outer.length && distance(nextA, b) <= distance(a, nextB))
    if (along) {
      triangles.push(nextA, a, b)
      i++
    } else {
      triangles.push(a, b, nextB)
      j++
    }
  }
  return triangles
}
