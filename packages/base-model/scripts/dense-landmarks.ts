import type { FaceMesh } from './face-mesh.js'
import {
  labelLandmarks68,
  landmarks68,
  lowerLipRings,
  mirroredLandmarks68,
  rightBrow,
  rightEyeRings,
  rim,
  upperLipRings,
} from './face-parts.js'
import { edgeKey } from './loop-subdivision.js'

/** Landmarks in all, the 68 included. */
export const DENSE_COUNT = 560
/** The ring of an eyeball's vertices at the rim of the iris, and how many of its 24 are taken. */
const [IRIS_RING, IRIS_POINTS] = [5, 8]
/** Distance at which spread points lie twice as far apart as at eyes, nose and mouth, mm. */
const FINE_REACH = 30

/** Dense landmarks: vertices of the mesh after the 68, and for each landmark, the 68 included, the place of its mirror image. */
export interface DenseLandmarks {
  points: number[]
  mirror: number[]
}

/** Chooses the dense landmarks: contours of lids, lips, brows and the face, nose and irises vertex by vertex; then what is
 * farthest from all before, in mirrored pairs, until there are enough. Where the 68 lie, in any variant, nothing else lies.
 */
export function denseLandmarks(mesh: FaceMesh): DenseLandmarks {
  const { mean, skinEnd } = mesh
  const mirror = mirrorVertices(mean)
  const taken = new Set<number>([...landmarks68, ...labelLandmarks68])
  const points: number[] = []
  const take = (vertex: number) => {
    for (const i of new Set([vertex, mirror[vertex]])) {
      if (taken.has(i)) continue
      taken.add(i)
      points.push(i)
    }
  }
  // Two levels of subdivision: the vertex in the middle of an edge of the control mesh is that of level one.
  const halves = (line: readonly number[]) =>
    line.flatMap((a, k) => {
      const middle = mesh.middles[0].get(edgeKey(a, line[(k + 1) % line.length]))
      return middle === undefined ? [a] : [a, middle]
    })
  const ring = (lines: { upper: readonly number[]; lower: readonly number[] }) => [
    ...lines.upper,
    ...lines.lower.toReversed(),
  ]
  for (const i of halves(rightEyeRings[0])) take(i)
  for (const i of rightEyeRings[1]) take(i)
  for (const r of [0, 3] as const) {
    for (const i of halves(ring({ upper: upperLipRings[r], lower: lowerLipRings[r] }))) take(i)
  }
  for (const i of halves(ring(rightBrow))) take(i)
  for (const eyeball of mesh.eyeballs) {
    if (eyeball.side === 'left') continue
    take(eyeball.start)
    const sectors = (eyeball.distances.length - 1) / 13
    for (let s = 0; s < IRIS_POINTS; s++) {
      take(eyeball.start + 1 + IRIS_RING * sectors + (s * sectors) / IRIS_POINTS)
    }
  }
  for (const i of [...noseRidge, ...rightNoseWing, ...rightNostril]) take(i)
  for (const i of halves(rim)) take(i)

  const fine = [...taken]
  const distance = (i: number, j: number) =>
    Math.hypot(
      mean[i * 3] - mean[j * 3],
      mean[i * 3 + 1] - mean[j * 3 + 1],
      mean[i * 3 + 2] - mean[j * 3 + 2],
    )
  const features = fine.filter((i) => !rim.includes(i as (typeof rim)[number]) && i < skinEnd)
  const spacing = Float64Array.from({ length: skinEnd }, (_, i) => {
    const nearest = features.reduce((least, j) => Math.min(least, distance(i, j)), Infinity)
    return 1 + nearest / FINE_REACH
  })
  const room = Float64Array.from({ length: skinEnd }, (_, i) =>
    fine.reduce((least, j) => Math.min(least, distance(i, j)), Infinity),
  )
  // Midline vertices come alone: a pair at the end would be one too many.
  const candidates = Array.from({ length: skinEnd }, (_, i) => i).filter((i) => mean[i * 3] <= 0)
  while (points.length < DENSE_COUNT - 68) {
    const single = DENSE_COUNT - 68 - points.length === 1
    let best = -1
    for (const i of candidates) {
      if (taken.has(i) || (single && mirror[i] !== i)) continue
      if (best < 0 || room[i] / spacing[i] > room[best] / spacing[best]) best = i
    }
    take(best)
    for (let i = 0; i < skinEnd; i++) {
      room[i] = Math.min(room[i], distance(i, best), distance(i, mirror[best]))
    }
  }
  const place = new Map(points.map((vertex, k) => [vertex, k + 68]))
  return {
    points,
    mirror: [...mirroredLandmarks68, ...points.map((vertex) => place.get(mirror[vertex])!)],
  }
}

/** Vertices of the canonical face. */
const noseRidge = [168, 6, 197, 195, 5, 4, 1, 19, 94, 2, 164]
const rightNoseWing = [48, 64, 98, 97, 102, 49, 131, 198, 236, 3, 51, 45, 44, 115, 220, 218, 219, 129]
const rightNostril = [75, 59, 60, 20, 79, 166, 99, 240, 238, 239, 241, 242, 141, 125, 237]

/** The vertex at the mirrored place of each vertex; the mean face is symmetric to the last digit. */
export function mirrorVertices(mean: Float64Array): number[] {
  const key = (x: number, y: number, z: number) =>
    [x, y, z].map((v) => (Math.round(v * 1e6) + 0).toString()).join()
  const count = mean.length / 3
  const at = new Map<string, number>()
  for (let i = 0; i < count; i++) {
    const place = key(mean[i * 3], mean[i * 3 + 1], mean[i * 3 + 2])
    if (!at.has(place)) at.set(place, i)
  }
  return Array.from({ length: count }, (_, i) => {
    const partner = at.get(key(-mean[i * 3], mean[i * 3 + 1], mean[i * 3 + 2]))
    if (partner === undefined) throw new Error(`denseLandmarks: vertex ${i} has no mirror image`)
    return partner
  })
}
