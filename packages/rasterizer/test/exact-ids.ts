/** What `rasterize` must show of triangles at one depth, in whole numbers and so without any rounding: the lowest index at each centre.
 *
 * @param corners - `[N][2]` pixels times `scale`, whole numbers; x to the right, y down
 * @param scale - even, so that centres of pixels are whole numbers as well
 */
export function exactIds(
  corners: readonly (readonly number[])[],
  triangles: Int32Array,
  width: number,
  height: number,
  scale: number,
): number[] {
  const ids: number[] = []
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [px, py] = [(column + 0.5) * scale, (row + 0.5) * scale]
      let id = -1
      for (let f = triangles.length / 3 - 1; f >= 0; f--) {
        const [a, b, c] = Array.from(triangles.subarray(3 * f, 3 * f + 3), (i) => corners[i])
        if (covers(a, b, c, px, py)) id = f
      }
      ids.push(id)
    }
  }
  return ids
}

type Point = readonly number[]

function covers(a: Point, b: Point, c: Point, px: number, py: number): boolean {
  const area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
  if (area === 0) return false
  const loop = area > 0 ? [a, b, c] : [a, c, b]
  return loop.every((from, i) => {
    const to = loop[(i + 1) % 3]
    const side = (to[0] - from[0]) * (py - from[1]) - (to[1] - from[1]) * (px - from[0])
    if (side !== 0) return side > 0
    // With y down and the inside to its right, a left edge goes up, a top edge to the right.
    return to[1] < from[1] || (to[1] === from[1] && to[0] > from[0])
  })
}
