import { strip } from '../strip.js'
import type { DentalArch } from './dental-arch.js'
import type { Part } from './part.js'
import { along, lerp, mix, type Vec3 } from './vector.js'

/** Where the edge of the lips is on the mean face, and what an open jaw moves it by: one after the other around the opening, mm. */
export interface LipEdge {
  places: readonly Vec3[]
  opened: readonly Vec3[]
}

/** How a vertex of the socket goes with the lips: with which vertex of their edge, and how far, 0..1. */
export interface Tie {
  nearest: number
  share: number
}

/** The inside of the lips' edge, behind it and past the other lip's, mm: no tooth shines through the slit between closed lips. */
const [BEHIND, OVERLAP] = [1.8, 0.7]
/** The inner side of the lips: this far up or down, and back, mm; and how far it goes with the edge. */
const INNER = { up: 5.5, back: 2.6, share: 0.8 }
/** The fold between lip or cheek and gum: from the edges' line up or down, and out of the arch in front (below, the chin's furrow is near) and at the sides, mm; */
const FOLD = { upper: [20, 1.2], lower: [13.5, -2.2], side: 6, share: 0.25 } as const
/** Rings behind: depth behind the front teeth, half width, lowest and highest point from the line of the lips, mm; vertices of each. */
const RINGS = [
  { back: 32, half: 33, low: -23, high: 34, count: 32 },
  { back: 52, half: 27, low: -20, high: 36, count: 24 },
  { back: 70, half: 17, low: -16, high: 26, count: 16 },
  { back: 86, half: 8, low: -12, high: 8, count: 10 },
] as const

/** Adds what is around teeth and tongue, seen from inside: it begins with two rings along the edge of the lips, goes behind lips and cheeks, around both gums and
 * ends in the throat.
 *
 * @returns `[V]` of its vertices
 */
export function buildSocket(part: Part, lips: LipEdge, upper: DentalArch, lower: DentalArch): Tie[] {
  const count = lips.places.length
  const down = lips.opened.map((offset) => Math.hypot(...offset))
  const most = Math.max(...down)
  const jaws = down.map((value) => value / most)
  // Around the opening: 1 in the middle of the upper lip, 0 in the corners, -1 in the middle of the lower one.
  const widest = Math.max(...lips.places.map(([x]) => Math.abs(x)))
  const heights = lips.places.map(
    ([x], i) => Math.sqrt(Math.max(0, 1 - (x / widest) ** 2)) * (jaws[i] > 0.5 ? -1 : 1),
  )
  // 1 where the edge runs from +x over the upper lip to -x.
  const right = lips.places.reduce((best, [x], i) => (x > lips.places[best][0] ? i : best), 0)
  const turn = Math.sign(heights[(right + Math.floor(count / 4)) % count])
  const ties: Tie[] = []
  const ring = (place: (i: number) => Vec3, jaw: (i: number) => number, share: number, tint: number) =>
    lips.places.map((_, i) => {
      ties.push({ nearest: i, share })
      return part.add(place(i), jaw(i), tint)
    })
  const edge = ring(
    (i) => lips.places[i],
    (i) => jaws[i],
    1,
    1,
  )
  const behind = ring(
    (i) => along(lips.places[i], [OVERLAP * (2 * jaws[i] - 1), [0, 1, 0]], [-BEHIND, [0, 0, 1]]),
    (i) => jaws[i],
    1,
    0.9,
  )
  const inner = ring(
    (i) => along(lips.places[i], [INNER.up * heights[i], [0, 1, 0]], [-BEHIND - INNER.back, [0, 0, 1]]),
    (i) => jaws[i],
    INNER.share,
    0.6,
  )
  const half = 0.62 * upper.half
  const fold = ring(
    (i) => {
      const h = heights[i]
      // Along the arch from one corner over the front to the other.
      const s = half * (lips.places[i][0] / widest)
      const [above, below] = [upper, lower].map((arch) => {
        const [, front] = arch.upper ? FOLD.upper : FOLD.lower
        return along(arch.place(s), [lerp(front, FOLD.side, Math.abs(s) / half), arch.frame(s).out])
      })
      const height =
        h > 0 ? lerp(above[1], above[1] + FOLD.upper[0], h) : lerp(below[1], below[1] - FOLD.lower[0], -h)
      const [x, , z] = mix(below, above, (1 + h) / 2)
      return [x, height, z]
    },
    (i) => (1 - heights[i]) / 2,
    FOLD.share,
    0.3,
  )
  const front = upper.place(0)
  const line = lips.places.reduce((sum, [, y]) => sum + y, 0) / count
  const rows: number[][] = [edge, behind, inner, fold]
  for (const { back, half: wide, low, high, count: size } of RINGS)
    rows.push(
      Array.from({ length: size }, (_, k) => {
        // The same way around as the lips' edge.
        const angle = (2 * Math.PI * k) / size
        const [across, up] = [Math.cos(angle), turn * Math.sin(angle)]
        ties.push({ nearest: 0, share: 0 })
        return part.add(
          [wide * across, line + (up > 0 ? up * high : -up * low), front[2] - back],
          (1 - up) / 2,
          0.1,
        )
      }),
    )
  const flat = () => part.positions.flat()
  for (let r = 1; r < rows.length; r++) {
    if (rows[r].length === rows[r - 1].length) part.band(rows[r - 1], rows[r], { closed: true })
    else part.triangles.push(...strip(flat(), rows[r - 1], rows[r]))
  }
  const end = rows.at(-1)!
  const last = RINGS.at(-1)!
  const throat = part.add([0, line + (last.low + last.high) / 2, front[2] - last.back - 6], 0.3, 0)
  ties.push({ nearest: 0, share: 0 })
  end.forEach((v, k) => part.triangle([v, throat, end[(k + 1) % end.length]]))
  return ties
}
