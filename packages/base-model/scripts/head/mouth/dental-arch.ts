import { along, smoothstep, type Vec3 } from './vector.js'

/** Crown of a tooth, mm; torque and tip in degrees. */
export interface Crown {
  kind: 'incisor' | 'canine' | 'premolar' | 'molar'
  /** From the cervix to edge or cusps. */
  length: number
  /** Mesiodistal, at the contacts and at the cervix. */
  width: number
  cervicalWidth: number
  /** Labiolingual, the most and at the cervix. */
  depth: number
  cervicalDepth: number
  /** How far the edge leans outwards against the gum, and the gum's end to the back. */
  torque: number
  tip: number
}

const crown = (kind: Crown['kind'], sizes: readonly number[], [torque, tip]: readonly number[]): Crown => {
  const [length, width, cervicalWidth, depth, cervicalDepth] = sizes
  return { kind, length, width, cervicalWidth, depth, cervicalDepth, torque, tip }
}

/** Mean crowns from the midline to the second molar. Sizes: Ash and Nelson, "Wheeler's Dental Anatomy, Physiology and Occlusion", table 1-1;
 * torque and tip: Andrews, "The six keys to normal occlusion", Am. J. Orthod. 62 (1972). */
export const CROWNS = {
  upper: [
    crown('incisor', [10.5, 8.5, 7, 7, 6], [7, 5]),
    crown('incisor', [9, 6.5, 5, 6, 5], [3, 9]),
    crown('canine', [10, 7.5, 5.5, 8, 7], [-7, 11]),
    crown('premolar', [8.5, 7, 5, 9, 8], [-7, 2]),
    crown('premolar', [8.5, 7, 5, 9, 8], [-7, 2]),
    crown('molar', [7.5, 10, 8, 11, 10], [-9, 5]),
    crown('molar', [7, 9, 7, 11, 10], [-9, 5]),
  ],
  lower: [
    crown('incisor', [9, 5, 3.5, 6, 5.3], [-1, 2]),
    crown('incisor', [9.5, 5.5, 4, 6.5, 5.8], [-1, 2]),
    crown('canine', [11, 7, 5.5, 7.5, 7], [-11, 5]),
    crown('premolar', [8.5, 7, 5, 7.5, 6.5], [-17, 2]),
    crown('premolar', [8, 7, 5, 8, 7], [-22, 2]),
    crown('molar', [7.5, 11, 9, 10.5, 9], [-30, 2]),
    crown('molar', [7, 10.5, 8, 10, 9], [-35, 2]),
  ],
} as const satisfies Record<string, readonly Crown[]>

/** A dental arch: the line through edges, tips of canines and middles of the teeth behind, y = a x^6 + b x^2 (Noroozi, Nik and Saeeda, "The dental arch form revisited", Angle
 * Orthod. 71 (2001)), in a plane that rises to the back. */
export interface DentalArch {
  upper: boolean
  /** From the midline, s > 0 at x > 0, along the line, mm. */
  place(s: number): Vec3
  /** Along the line with growing s; out of the arch; into the gum. All of length 1, the first two level. */
  frame(s: number): { forth: Vec3; out: Vec3; gum: Vec3 }
  /** Half of its length: the sum of its crowns' widths. */
  half: number
}

/** Half widths of the line at canines and behind the second molars, mm: distances of the canines' tips of 34 and 26 mm, of the molars' fossae of about 50. */
const WIDTHS = { upper: [17.2, 26.5], lower: [13.2, 24.5] } as const
/** Slope of the occlusal plane to Frankfort's, degrees: Downs, "Variations in facial relationships", Am. J. Orthod. 34 (1948). */
const CANT = 9.3

/** @param front - middle of the line: between the edges of the central incisors
 * @param step - how far teeth behind the canines are nearer to the gum's side than that plane, mm
 */
export function dentalArch(jaw: keyof typeof WIDTHS, front: Vec3, step = 0): DentalArch {
  const crowns = CROWNS[jaw]
  const [canine, end] = WIDTHS[jaw]
  const sum = (list: readonly Crown[]) => list.reduce((total, { width }) => total + width, 0)
  const half = sum(crowns)
  const toCanine = sum(crowns.slice(0, 2)) + crowns[2].width / 2
  // Arc length up to x fixes both coefficients: to the canine's tip, where the sixth power is small, and to the end.
  const length = (a: number, b: number, x: number) => {
    let total = 0
    for (let i = 0; i < 400; i++) {
      const at = ((i + 0.5) / 400) * x
      total += (x / 400) * Math.hypot(1, 6 * a * at ** 5 + 2 * b * at)
    }
    return total
  }
  let [a, b] = [0, 0]
  for (let round = 0; round < 20; round++) {
    b = bisect((value) => length(a, value, canine) - toCanine, 0, 0.2)
    a = bisect((value) => length(value, b, end) - half, 0, 1e-6)
  }
  const table: [s: number, x: number][] = []
  for (let x = 0; x <= end + 4; x += 0.05) table.push([length(a, b, x), x])
  const xAt = (s: number) => {
    const next = table.findIndex(([at]) => at >= Math.abs(s))
    const [[s0, x0], [s1, x1]] = next < 1 ? table.slice(0, 2) : table.slice(next - 1, next + 1)
    return Math.sign(s) * (x0 + ((x1 - x0) * (Math.abs(s) - s0)) / (s1 - s0))
  }
  const upper = jaw === 'upper'
  const rise = Math.tan((CANT * Math.PI) / 180)
  return {
    upper,
    half,
    place(s) {
      const x = xAt(s)
      const back = a * x ** 6 + b * x ** 2
      const behind = step * smoothstep(0.2, 0.45, Math.abs(s) / half)
      return along(front, [1, [x, rise * back + (upper ? behind : -behind), -back]])
    },
    frame(s) {
      const x = xAt(s)
      const slope = -(6 * a * x ** 5 + 2 * b * x)
      const size = Math.hypot(1, slope)
      return {
        forth: [1 / size, 0, slope / size],
        out: [-slope / size, 0, 1 / size],
        gum: [0, upper ? 1 : -1, 0],
      }
    },
  }
}

function bisect(f: (x: number) => number, low: number, high: number): number {
  let [from, to] = [low, high]
  for (let i = 0; i < 60; i++) {
    const middle = (from + to) / 2
    if (f(middle) > 0) to = middle
    else from = middle
  }
  return (from + to) / 2
}
