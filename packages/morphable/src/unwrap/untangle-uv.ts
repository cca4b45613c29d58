import { boundaryLoops, meshNeighbours } from '@facekit/mesh'

/** Rounds of looking for turned triangles and smoothing around them; each looks a little farther. */
const ROUNDS = 12
/** Sweeps of smoothing in a round. */
const SWEEPS = 60
/** Loops of more edges are borders of a surface, not openings in it. */
const LONGEST_OPENING = 150

/** Takes folds out of texture coordinates, in place: where triangles are turned over (ears, nostrils, lips), the vertices around them move to
 * the mean of their neighbours again and again, which unfolds a disc (Tutte 1963); openings are spanned as a drum is. All others stay. Of
 * all rounds the one with the fewest folds counts.
 *
 * @param uv - `[N * 2]`, in which most triangles run counter-clockwise
 * @param triangles - `[F * 3]` of one piece
 * @param fixed - `[N]`, 1 at vertices that may not move, such as those of the outer border
 */
export function untangleUv(uv: Float64Array, triangles: Int32Array, fixed: Uint8Array): void {
  const count = uv.length / 2
  const spanned = spanOpenings(triangles, count, fixed)
  const total = count + spanned.added
  const points = new Float64Array(total * 2)
  points.set(uv)
  const neighbours = meshNeighbours(spanned.triangles, total)
  const settle = (vertex: number) => {
    const start = neighbours.start[vertex]
    const end = neighbours.start[vertex + 1]
    if (start === end) return
    for (let c = 0; c < 2; c++) {
      let sum = 0
      for (let i = start; i < end; i++) sum += points[neighbours.list[i] * 2 + c]
      points[vertex * 2 + c] = sum / (end - start)
    }
  }
  for (let v = count; v < total; v++) settle(v)
  let best = points.slice()
  let least = Infinity
  for (let round = 0; round <= ROUNDS; round++) {
    const folds = shareOfFolds(points, triangles)
    if (folds < least) {
      least = folds
      best = points.slice()
    }
    if (folds === 0 || round === ROUNDS) break
    const region = new Set<number>()
    for (let t = 0; t < triangles.length; t += 3) {
      if (area(points, triangles, t) > 0) continue
      for (let k = 0; k < 3; k++) region.add(triangles[t + k])
    }
    for (let ring = 0; ring <= round; ring++) {
      // Those of the ring before; the set grows meanwhile.
      const known = [...region]
      for (const v of known) {
        for (let i = neighbours.start[v]; i < neighbours.start[v + 1]; i++) region.add(neighbours.list[i])
      }
    }
    const free = [...region].filter((v) => v >= count || !fixed[v])
    for (let sweep = 0; sweep < SWEEPS; sweep++) for (const v of free) settle(v)
  }
  uv.set(best.subarray(0, count * 2))
}

/** Share of the triangles that are turned over. */
export function shareOfFolds(uv: Float64Array, triangles: Int32Array): number {
  let folds = 0
  for (let t = 0; t < triangles.length; t += 3) if (area(uv, triangles, t) <= 0) folds++
  return (3 * folds) / triangles.length
}

function area(points: Float64Array, triangles: Int32Array, t: number): number {
  const [a, b, c] = [triangles[t] * 2, triangles[t + 1] * 2, triangles[t + 2] * 2]
  return (
    (points[b] - points[a]) * (points[c + 1] - points[a + 1]) -
    (points[c] - points[a]) * (points[b + 1] - points[a + 1])
  )
}

/** A vertex more in the middle of each opening, joined to its rim. */
function spanOpenings(
  triangles: Int32Array,
  count: number,
  fixed: Uint8Array,
): { triangles: Int32Array; added: number } {
  const more: number[] = []
  let added = 0
  for (const loop of boundaryLoops(triangles)) {
    if (loop.length > LONGEST_OPENING || loop.some((vertex) => fixed[vertex])) continue
    const middle = count + added++
    loop.forEach((vertex, i) => more.push(vertex, loop[(i + 1) % loop.length], middle))
  }
  const all = new Int32Array(triangles.length + more.length)
  all.set(triangles)
  all.set(more, triangles.length)
  return { triangles: all, added }
}
