import { boundaryLoops } from '@facekit/mesh'

/** The rim of the opening between the lips. */
export interface MouthOpening {
  /** Vertices from the subject's right corner to the left one: along the upper lip, and along the lower lip; both hold the
   * two corners. */
  upper: Int32Array
  lower: Int32Array
}

/** Where the mouth is looked for, mm from its middle. */
const REACH = 25

/** Finds the opening between the lips: the closed rim of a mesh around the middle of the mouth.
 *
 * @param positions - `[N * 3]` mm, model space, near the template's pose
 * @param middle - of the mouth, mm
 * @returns undefined where the mesh has no opening there
 */
export function findMouthOpening(
  positions: ArrayLike<number>,
  triangles: Int32Array,
  middle: readonly [number, number, number],
): MouthOpening | undefined {
  let best: Int32Array | undefined
  let bestDistance = REACH
  for (const loop of boundaryLoops(triangles)) {
    if (loop.length < 6) continue
    const [low, high] = bounds(positions, loop)
    const distance = Math.hypot(...[0, 1, 2].map((c) => (low[c] + high[c]) / 2 - middle[c]))
    const width = high[0] - low[0]
    // As wide as a mouth, wider than high: no nostril, no eye, no border of the face.
    const isMouth = width > 20 && width < 90 && high[1] - low[1] < width && high[1] - low[1] < 40
    if (isMouth && distance < bestDistance) {
      best = loop
      bestDistance = distance
    }
  }
  return best && splitAtCorners(positions, best)
}

function splitAtCorners(positions: ArrayLike<number>, loop: Int32Array): MouthOpening | undefined {
  const count = loop.length
  const x = (i: number) => positions[loop[i % count] * 3]
  let right = 0
  let left = 0
  for (let i = 0; i < count; i++) {
    if (x(i) < x(right)) right = i
    if (x(i) > x(left)) left = i
  }
  const walk = (from: number, to: number) => {
    const chain = [loop[from]]
    for (let i = from; i !== to;) chain.push(loop[(i = (i + 1) % count)])
    return chain
  }
  const there = walk(right, left)
  const back = walk(left, right).toReversed()
  if (there.length < 3 || back.length < 3) return undefined
  // Lips nearly touch at rest, or overlap: heights mislead. But the surface lies to the left of its rim, so the way from the
  // subject's right to the left follows the upper lip.
  return { upper: Int32Array.from(there), lower: Int32Array.from(back) }
}

function bounds(positions: ArrayLike<number>, vertices: Int32Array): [low: number[], high: number[]] {
  const low = [Infinity, Infinity, Infinity]
  const high = [-Infinity, -Infinity, -Infinity]
  for (const vertex of vertices) {
    for (let c = 0; c < 3; c++) {
      low[c] = Math.min(low[c], positions[vertex * 3 + c])
      high[c] = Math.max(high[c], positions[vertex * 3 + c])
    }
  }
  return [low, high]
}

/** Triangles that fill an opening: a strip between the two lips, counter-clockwise seen from the front.
 *
 * @returns `[M * 3]`
 */
export function closeMouth(positions: ArrayLike<number>, { upper, lower }: MouthOpening): Int32Array {
  const triangles: number[] = []
  const x = (vertex: number) => positions[vertex * 3]
  let u = 0
  let l = 0
  while (u < upper.length - 1 || l < lower.length - 1) {
    const canUpper = u < upper.length - 1
    const canLower = l < lower.length - 1
    // The lip whose next vertex is nearer to the right corner goes on.
    if (canUpper && (!canLower || x(upper[u + 1]) <= x(lower[l + 1]))) {
      if (upper[u] !== lower[l] && upper[u + 1] !== lower[l]) triangles.push(upper[u], lower[l], upper[u + 1])
      u++
    } else {
      if (upper[u] !== lower[l] && lower[l + 1] !== upper[u]) triangles.push(upper[u], lower[l], lower[l + 1])
      l++
    }
  }
  return Int32Array.from(triangles)
}

/** The eight landmarks of the inner mouth on an opening: corners, and at a quarter, half and three quarters of each lip's width.
 *
 * @returns `[8]` vertices of landmarks 60 to 67
 */
export function innerMouthLandmarks(
  positions: ArrayLike<number>,
  { upper, lower }: MouthOpening,
): Int32Array {
  const x = (vertex: number) => positions[vertex * 3]
  const right = x(upper[0])
  const width = x(upper[upper.length - 1]) - right
  const at = (lip: Int32Array, share: number) => {
    const inner = lip.subarray(1, lip.length - 1)
    return inner.reduce((best, vertex) => {
      const distance = (v: number) => Math.abs(x(v) - right - share * width)
      return distance(vertex) < distance(best) ? vertex : best
    }, inner[0])
  }
  return Int32Array.of(
    upper[0],
    at(upper, 0.25),
    at(upper, 0.5),
    at(upper, 0.75),
    upper[upper.length - 1],
    at(lower, 0.75),
    at(lower, 0.5),
    at(lower, 0.25),
  )
}
