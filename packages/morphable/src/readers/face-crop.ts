/** Degrees beyond the line of the jaw that stay. */
const MARGIN = 5
/** Degrees above the root of the nose where the forehead ends. */
const FOREHEAD = 55
/** Share of all kept vertices below which a loose piece (the front of an ear) goes. */
const SMALLEST_PIECE = 0.02

/** Which vertices belong to the face: what lies within the line of the jaw, without ears and neck (MM '22 paper, Fig. 1b).
 *
 * Directions are seen from the middle of the head: azimuth and elevation of the jaw's landmarks, a few degrees wider, make a
 * polygon that is closed above the forehead, and what lies outside of it goes, as do loose pieces that this leaves.
 *
 * @param positions - `[N * 3]` mm, model space
 * @param landmarks - `[68]` vertices
 * @returns `[N]` 1 where a vertex stays; landmarks always do
 */
export function faceCropMask(
  positions: ArrayLike<number>,
  triangles: Int32Array,
  landmarks: Int32Array,
): Uint8Array {
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
  const [noseAzimuth, noseElevation] = direction(landmarks[30])
  const jaw = Array.from(landmarks.subarray(0, 17), (vertex) => {
    const [azimuth, elevation] = direction(vertex)
    const length = Math.hypot(azimuth - noseAzimuth, elevation - noseElevation)
    const factor = 1 + MARGIN / length
    return [
      noseAzimuth + (azimuth - noseAzimuth) * factor,
      noseElevation + (elevation - noseElevation) * factor,
    ] as const
  })
  const top = direction(landmarks[27])[1] + FOREHEAD
  const polygon = [...jaw, [jaw[16][0], top] as const, [jaw[0][0], top] as const]
  const mask = new Uint8Array(count)
  for (let v = 0; v < count; v++) mask[v] = isInside(polygon, direction(v)) ? 1 : 0
  removePieces(mask, triangles, landmarks)
  for (const vertex of landmarks) mask[vertex] = 1
  return mask
}

function isInside(
  polygon: readonly (readonly [number, number])[],
  [x, y]: readonly [number, number],
): boolean {
  let inside = false
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i]
    const [xj, yj] = polygon[j]
    if (yi > y !== yj > y && x < xi + ((xj - xi) * (y - yi)) / (yj - yi)) inside = !inside
  }
  return inside
}

/** Takes away connected pieces that are small and hold no landmark. */
function removePieces(mask: Uint8Array, triangles: Int32Array, landmarks: Int32Array): void {
  const parent = Int32Array.from(mask, (_, v) => v)
  const find = (v: number) => {
    while (parent[v] !== v) v = parent[v] = parent[parent[v]]
    return v
  }
  for (let t = 0; t < triangles.length; t += 3) {
    const corners = [triangles[t], triangles[t + 1], triangles[t + 2]]
    if (!corners.every((corner) => mask[corner])) continue
    parent[find(corners[1])] = find(corners[0])
    parent[find(corners[2])] = find(corners[0])
  }
  const sizes = new Map<number, number>()
  let total = 0
  mask.forEach((kept, v) => {
    if (!kept) return
    total++
    sizes.set(find(v), (sizes.get(find(v)) ?? 0) + 1)
  })
  const needed = new Set(Array.from(landmarks, find))
  mask.forEach((kept, v) => {
    if (kept && sizes.get(find(v))! < total * SMALLEST_PIECE && !needed.has(find(v))) mask[v] = 0
  })
}
