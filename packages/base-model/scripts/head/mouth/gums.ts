import type { DentalArch } from './dental-arch.js'
import type { Part } from './part.js'
import type { Tooth } from './tooth.js'
import { along, lerp, mix, piecewise, smoothstep, type Vec3 } from './vector.js'

/** A tooth and its place on the arch. */
export interface PlacedTooth {
  tooth: Tooth
  /** Middle of its place, mm from the midline. */
  s: number
}

/** Where on a tooth, from one contact (-1) to the other, the gum has columns of vertices; contacts are shared. */
const COLUMNS = [-0.8, -0.36, 0.36, 0.8] as const
/** Height of the papillae between teeth in parts of the crown: Chu et al., "Papilla proportions in the maxillary anterior dentition", Int. J. Periodontics
 * Restorative Dent. 29 (2009), have two fifths. */
const PAPILLA = 0.4
/** The gum covers the cervix by this, and lies this far off the tooth, mm. */
const [COVER, THICK] = [0.4, 0.35]
/** Along half of an arch, from its middle to its end: the gum's fold before cheek and lip, into the gum from the line of the edges and out of the arch; and the gum behind
 * the teeth, inwards; mm. */
const PROFILES = {
  upper: {
    fold: [
      [0, 19],
      [0.5, 17],
      [1, 13],
    ],
    out: [
      [0, 0],
      [0.3, 0.8],
      [0.5, 4.4],
      [1, 5.6],
    ],
    behind: [
      [0, 9],
      [0.3, 9.5],
      [0.5, 8],
      [1, 8.5],
    ],
  },
  lower: {
    fold: [
      [0, 12.5],
      [0.5, 13],
      [1, 12],
    ],
    out: [
      [0, -4.8],
      [0.3, -3.6],
      [0.5, 2.5],
      [1, 5],
    ],
    behind: [
      [0, 6.5],
      [0.3, 7.5],
      [0.5, 6.5],
      [1, 6.5],
    ],
  },
} as const
/** Depth of the palate at the molars from the gum behind the teeth, mm. */
const VAULT = 12
/** Steps from the inner gum to the midline. */
const INWARDS = [0.3, 0.66] as const

interface Column {
  s: number
  /** Outer and inner margin. */
  margin: Vec3
  inner: Vec3
  /** 1 over the middle of a tooth, where its root bulges. */
  root: number
}

/** Gum of one jaw: from the fold behind the lip over the margin, scalloped around the teeth, to behind them; of an upper one with the palate.
 *
 * @param jaw - 1 of the lower one
 */
export function buildGum(part: Part, arch: DentalArch, teeth: readonly PlacedTooth[], jaw: number): void {
  const columns = columnsOf(teeth)
  const middle = (columns.length - 1) / 2
  const [front, last] = [arch.place(0), arch.place(arch.half)]
  const profiles = PROFILES[arch.upper ? 'upper' : 'lower']
  const add = (point: Vec3, tint: number) => part.add(point, jaw, tint)
  const spine: number[] = []
  const rows = columns.map(({ s, margin, inner, root }, i) => {
    const { out, gum } = arch.frame(s)
    const back = Math.min(1, Math.abs(s) / arch.half)
    const line = arch.place(s)
    const at = (name: keyof typeof profiles) => piecewise(profiles[name], back)
    const fold = along(line, [at('fold'), gum], [at('out'), out])
    // Thickest half way, where the root lies in it.
    const ridge = along(mix(margin, fold, 0.45), [0.7 + 0.5 * root, out])
    const depth = arch.upper ? lerp(12, 10, back) : lerp(15, 12, back)
    const behind = along(line, [depth, gum], [-at('behind'), out])
    const row = [add(fold, 0), add(ridge, 0.55), add(margin, 1), add(inner, 1), add(behind, 0.6)]
    if (!arch.upper) return row
    const share = Math.abs(i - middle) / middle
    const height = behind[1] + 1.5 + VAULT * smoothstep(0, 0.75, share)
    const goal: Vec3 = [0, height, lerp(front[2] - 13, last[2] + 2, share)]
    for (const f of INWARDS) {
      const [x, , z] = mix(behind, goal, f)
      row.push(add([x, lerp(behind[1], height, Math.sin((f * Math.PI) / 2)), z], 0.4))
    }
    if (i <= middle) spine.push(add(goal, 0.35))
    return [...row, spine[i <= middle ? i : 2 * middle - i]]
  })
  // Columns run to growing s, to the right seen from the front; an upper gum has its fold above.
  for (let r = 1; r < rows[0].length; r++)
    part.band(
      rows.map((row) => row[r - 1]),
      rows.map((row) => row[r]),
      { flip: !arch.upper },
    )
}

/** The gum's edge on a tooth. @param f - from one contact, -1, to the other, 1 */
function marginAt(tooth: Tooth, f: number): { margin: Vec3; inner: Vec3 } {
  const { length } = tooth.crown
  const scallop = PAPILLA * Math.abs(f) ** 2.6
  const q = 1 - COVER / length - scallop
  // Contacts are where the angle is 0 or half a turn; a papilla is rounder than the teeth beside it.
  const angle = Math.acos(0.93 * f)
  return {
    margin: tooth.surface(q, angle, THICK),
    inner: tooth.surface(q - 0.04, -angle, THICK),
  }
}

function columnsOf(teeth: readonly PlacedTooth[]): Column[] {
  const columns: Column[] = []
  const between = (a: PlacedTooth | undefined, b: PlacedTooth | undefined): Column => {
    const ends = [
      a && { ...marginAt(a.tooth, 1), s: a.s + a.tooth.crown.width / 2 },
      b && { ...marginAt(b.tooth, -1), s: b.s - b.tooth.crown.width / 2 },
    ]
    const [left, right] = [ends[0] ?? ends[1]!, ends[1] ?? ends[0]!]
    return {
      s: left.s,
      margin: mix(left.margin, right.margin, 0.5),
      inner: mix(left.inner, right.inner, 0.5),
      root: 0,
    }
  }
  teeth.forEach((placed, i) => {
    const { tooth, s } = placed
    columns.push(between(teeth[i - 1], placed))
    for (const f of COLUMNS)
      columns.push({ s: s + (f * tooth.crown.width) / 2, ...marginAt(tooth, f), root: 1 - f * f })
  })
  columns.push(between(teeth.at(-1), undefined))
  return columns
}
