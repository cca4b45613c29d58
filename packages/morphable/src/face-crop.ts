/** Degrees below the jaw line, and behind the line of the ears, that stay. */
const MARGIN = 3

/** Which vertices belong to the face: what lies above the jaw and before the ears, without ears and neck (MM '22 paper, Fig. 1b).
 *
 * Directions are seen from the middle between the ears, 25 mm behind the eyes: the jaw's landmarks form a line in azimuth and
 * elevation, and what lies below it goes.
 *
 * @param positions - `[N * 3]` mm, model space
 * @param landmarks - `[68]` vertices
 * @returns `[N]` 1 where a vertex stays; landmarks always do
 */
export function faceCropMask(positions: ArrayLike<number>, landmarks: Int32Array): Uint8Array {
  const count = positions.length / 3
  const at = (vertex: number) => [0, 1, 2].map((c) => positions[vertex * 3 + c])
  const middle = (vertices: Iterable<number>) => {
    const points = [...vertices].map(at)
    return [0, 1, 2].map((c) => points.reduce((sum, point) => sum + point[c], 0) / points.length)
  }
  const ears = middle([landmarks[0], landmarks[16]])
  const eyes = middle(landmarks.subarray(36, 48))
  const origin = [(ears[0] + eyes[0]) / 2, eyes[1], ears[2] + 5]
  const direction = (vertex: number): [azimuth: number, elevation: number] => {
    const [x, y, z] = at(vertex).map((value, c) => value - origin[c])
    return [(Math.atan2(x, z) * 180) / Math.PI, (Math.atan2(y, Math.hypot(x, z)) * 180) / Math.PI]
  }
  const jaw = [...landmarks.subarray(0, 17)].map(direction).sort((a, b) => a[0] - b[0])
  const brow = direction(landmarks[27])
  const lowest = (azimuth: number) => {
    const next = jaw.findIndex(([a]) => a >= azimuth)
    if (next <= 0) return azimuth < jaw[0][0] ? jaw[0][1] : jaw[next < 0 ? jaw.length - 1 : 0][1]
    const [a0, e0] = jaw[next - 1]
    const [a1, e1] = jaw[next]
    return e0 + ((e1 - e0) * (azimuth - a0)) / (a1 - a0 || 1)
  }
  const mask = new Uint8Array(count)
  for (let v = 0; v < count; v++) {
    const [azimuth, elevation] = direction(v)
    const side = azimuth > jaw[0][0] - MARGIN && azimuth < jaw[16][0] + MARGIN
    // Above the brows the sides close in: there the hair begins.
    const forehead = elevation < brow[1] + 55
    if (side && forehead && elevation > lowest(azimuth) - MARGIN) mask[v] = 1
  }
  for (const vertex of landmarks) mask[vertex] = 1
  return mask
}
