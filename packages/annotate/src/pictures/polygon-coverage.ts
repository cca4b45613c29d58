/** A closed polygon: x and y of each corner, in pixels. */
export type Polygon = readonly (readonly [number, number])[]

const rowsPerPixel = 8

/** Share of each pixel that a union of polygons covers, 0..1: exact along rows, 8 samples along columns.
 *
 * Each polygon may be concave, and may cross itself.
 *
 * @returns `[height * width]`
 */
export function polygonCoverage(polygons: readonly Polygon[], width: number, height: number): Float32Array {
  const coverage = new Float32Array(width * height)
  for (let line = 0; line < height * rowsPerPixel; line++) {
    const y = (line + 0.5) / rowsPerPixel
    const spans = polygons.flatMap((polygon) => spansAt(polygon, y)).sort((a, b) => a[0] - b[0])
    const row = Math.floor(line / rowsPerPixel) * width
    // Overlapping spans are joined: what two polygons cover counts once.
    let done = 0
    for (const [from, to] of spans) {
      if (to <= done) continue
      addSpan(coverage, row, width, Math.max(from, done), to)
      done = to
    }
  }
  for (let i = 0; i < coverage.length; i++) coverage[i] = Math.min(1, coverage[i])
  return coverage
}

/** Where the polygon lies on a horizontal line. */
function spansAt(polygon: Polygon, y: number): [number, number][] {
  const crossings: { x: number; turn: number }[] = []
  for (let i = 0; i < polygon.length; i++) {
    const from = polygon[i]
    const to = polygon[i + 1 === polygon.length ? 0 : i + 1]
    if (from[1] <= y === to[1] <= y) continue
    const x = from[0] + ((y - from[1]) / (to[1] - from[1])) * (to[0] - from[0])
    crossings.push({ x, turn: to[1] > from[1] ? 1 : -1 })
  }
  crossings.sort((a, b) => a.x - b.x)
  const spans: [number, number][] = []
  let winding = 0
  for (let i = 0; i + 1 < crossings.length; i++) {
    winding += crossings[i].turn
    if (winding !== 0) spans.push([crossings[i].x, crossings[i + 1].x])
  }
  return spans
}

function addSpan(coverage: Float32Array, row: number, width: number, from: number, to: number): void {
  const left = Math.max(0, from)
  const right = Math.min(width, to)
  const share = 1 / rowsPerPixel
  for (let column = Math.floor(left); column < right; column++) {
    coverage[row + column] += share * (Math.min(right, column + 1) - Math.max(left, column))
  }
}
